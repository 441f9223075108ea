"""The page of growth: a hundred million documents and a model of eight billion parameters on 8 to 64 GPUs. Pure.

Times, bytes and costs come from the functions by which `plan` forecasts; what they leave out (the text, its index, the
disk that a question reads) from rates that stand on the page with where they come from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from docs.generate.markdown import table
from docs.generate.sizes import CONFIG, MODELS, TOKENS, Machine, stages_of
from indexer.plan.advice import CHANGE, duration, size
from indexer.plan.forecast import GROUPS, VERBATIM, Stage
from indexer.plan.memory import BUDGET, CORPUS, FACTORS, INDEX, PASS, REST, WEIGHTS
from indexer.plan.speeds import assumed
from indexer.plan.work import passing

MODEL, DOCUMENTS, DEVICES = "Llama-3.1-8B", 10**8, (8, 16, 32, 64)
NODE = Machine("a node of eight GPUs of 80 GB, 2 TB of memory, 30 TB of disk", "cuda", 8, 80e9, 2e12, 30e12)
SHARED = ("corpus pass", "influence")  # by parts, which devices can take; the other stages are one process's
PRICE = 2.5  # dollars for a GPU and an hour
STORED = 20.0  # dollars for a TB of disk and a month
NODE_READ = 2.5e10  # bytes a second from the disks of a node
TEXT = 4  # bytes of a token's text
NUMBER = 4  # bytes of a token's id
WORDS = 0.75  # of a token
WORD_INDEXED = 4.1  # bytes that tantivy keeps of a word: the demo's 83,333 words, 346 kB
WORDS_A_SECOND = 85_000  # that one thread analyses and indexes: the demo's in 0.96 s
LIMIT = 30 * 86_400  # seconds: a stage that takes longer than a month is named


@dataclass(frozen=True)
class Cluster:
    """So many GPUs, eight to a node."""

    n: int

    @property
    def n_nodes(self) -> int:
        return -(-self.n // NODE.n)

    @property
    def stages(self) -> list[Stage]:
        """Of a build."""
        stages, _ = stages_of(MODELS[MODEL], DOCUMENTS, self._machine)
        return [stage for stage in stages if stage.name != GROUPS]  # which depend on what documents are grouped by

    @property
    def asking(self) -> float:
        """Seconds until a question has its first estimates: what `plan` says, or the disks, which hold an index that no
        memory does."""
        first, _ = stages_of(MODELS[MODEL], DOCUMENTS, self._machine)[1]
        return max(first.seconds, self.scan)

    @property
    def scan(self) -> float:
        """Seconds in which the disks of all nodes give the index once."""
        return index_bytes() / (self.n_nodes * NODE_READ)

    @property
    def disk(self) -> float:
        return self.n_nodes * NODE.disk

    @property
    def _machine(self) -> Machine:
        return replace(NODE, n=self.n)


def index_bytes() -> int:
    """Of the gradient index of all documents."""
    return DOCUMENTS * MODELS[MODEL].index_bytes(CONFIG.index.rank)


def device_seconds(stage: Stage, cluster: Cluster) -> float:
    """That are paid for: of all devices where a stage is shared out, of one where it is not."""
    return stage.seconds * (cluster.n if stage.name in SHARED else 1)


def dollars(cluster: Cluster) -> float:
    """For the GPUs of a build."""
    return sum(device_seconds(stage, cluster) for stage in cluster.stages) / 3600 * PRICE


def on_device(stage: Stage) -> dict[str, int]:
    """What of a stage's memory is the GPU's, as Sizes has it."""
    return {part: n for part, n in stage.parts.items() if part not in (INDEX, CORPUS, REST)}


def plain_pass() -> float:
    """Seconds of one GPU for nothing but forward and backward over all documents."""
    return passing(MODELS[MODEL], assumed(NODE.kind, MODELS[MODEL].n_params), float(DOCUMENTS * TOKENS))


def text_rows() -> list[tuple[str, float, str]]:
    """What of a corpus grows with it, beside the stages of `plan`: name, bytes, why."""
    tokens = float(DOCUMENTS * TOKENS)
    return [
        ("texts", TEXT * tokens, f"{TEXT} bytes a token"),
        ("ids of tokens", NUMBER * tokens, f"{NUMBER} bytes a token"),
        ("text index (tantivy)", WORD_INDEXED * WORDS * tokens, f"{WORD_INDEXED} bytes a word, measured"),
    ]


def text_seconds() -> float:
    """Of the text index, which one thread writes."""
    return WORDS * DOCUMENTS * TOKENS / WORDS_A_SECOND


def breaks(cluster: Cluster) -> list[str]:
    """What does not fit, in the order of a build, and why."""
    found = []
    if text_seconds() > LIMIT:
        found.append(f"the text index, {duration(text_seconds())}: one thread writes it")
    for stage in cluster.stages:
        parts = on_device(stage)
        largest = max(parts, key=lambda part: parts[part])
        if sum(parts.values()) > NODE.memory:
            of = f"{size(sum(parts.values()))} on one GPU, most of it {largest}, {size(parts[largest])}"
            found.append(f"memory in {stage.name}, {of}: {CHANGE[largest]}")
    kept = sum(stage.disk for stage in cluster.stages) + sum(n for _, n, _ in text_rows())
    if kept > cluster.disk:
        found.append(f"disk: {size(kept)}, {size(cluster.disk)} are there; {CHANGE[INDEX]}, or more nodes")
    for stage in cluster.stages:
        if stage.seconds > LIMIT:
            shared = "" if stage.name in SHARED else "; one process does it"
            found.append(f"time of {stage.name}, {duration(stage.seconds)}{shared}")
    if cluster.asking > 60:
        found.append(f"a question, {duration(cluster.asking)}: it reads the whole index, {size(index_bytes())}")
    return found


def page() -> str:
    clusters = [Cluster(n) for n in DEVICES]
    head = tuple(f"{each.n} GPUs" for each in clusters)
    return "\n".join(
        [
            _BEGIN,
            "## Bytes\n",
            table(("what", "on disk", "why"), _bytes(clusters[0])),
            "## Hours\n",
            _HOURS,
            table(("stage", *head, "who does it"), _hours(clusters)),
            _passes(clusters[0]),
            "## Memory of one GPU and its process\n",
            table(("stage", "in all", *_PARTS), _memory(clusters[0])),
            "## Cost\n",
            _COST,
            table(("", *head), _costs(clusters)),
            "## What breaks first\n",
            _BREAKS,
            table(("GPUs", "what breaks, in the order of a build"), _broken(clusters)),
            "## The rates\n",
            table(("rate", "value", "from"), _RATES),
            _END,
        ]
    )


def _bytes(cluster: Cluster) -> Iterator[tuple[str, ...]]:
    for name, n, why in text_rows():
        yield name, size(n), why
    of = MODELS[MODEL]
    yield "gradient index", size(index_bytes()), f"{of.index_bytes(CONFIG.index.rank):,} bytes a document at rank 2"
    for stage in cluster.stages:
        if stage.disk > 1e9:
            yield stage.name, size(stage.disk), _WHY.get(stage.name, "as `plan` counts it")


def _hours(clusters: list[Cluster]) -> Iterator[tuple[str, ...]]:
    yield "text index", *(duration(text_seconds()) for _ in clusters), "one thread, beside the others"
    for i, stage in enumerate(clusters[0].stages):
        seconds = (duration(each.stages[i].seconds) for each in clusters)
        yield stage.name, *seconds, "shared out by parts" if stage.name in SHARED else "one process"
    totals = (sum(stage.seconds for stage in each.stages) for each in clusters)
    yield "**in all**", *(f"**{duration(each)}**" for each in totals), "one after the other"
    yield "a question, first estimates", *(duration(each.asking) for each in clusters), "all nodes, or their disks"


def _passes(cluster: Cluster) -> str:
    [corpus] = [stage for stage in cluster.stages if stage.name == SHARED[0]]
    return (
        f"Forward and backward over all documents, and nothing else, would take one GPU {duration(plain_pass())}; the "
        f"corpus pass takes {corpus.seconds * cluster.n / plain_pass():.1f} times that.\n"
    )


def _memory(cluster: Cluster) -> Iterator[tuple[str, ...]]:
    for stage in cluster.stages:
        parts = (size(stage.parts[part]) if stage.parts.get(part) else "none" for part in _PARTS)
        yield stage.name, size(stage.memory), *parts


def _costs(clusters: list[Cluster]) -> Iterator[tuple[str, ...]]:
    hours = [sum(device_seconds(stage, each) for stage in each.stages) / 3600 for each in clusters]
    yield "GPU hours", *(f"{each:,.0f}" for each in hours)
    yield "GPUs, in dollars", *(f"{dollars(each):,.0f}" for each in clusters)
    kept = sum(stage.disk for stage in clusters[0].stages) + sum(n for _, n, _ in text_rows())
    yield "disk, in dollars a month", *(f"{kept / 1e12 * STORED:,.0f}" for _ in clusters)
    scanned = (each.asking * each.n / 3600 * PRICE for each in clusters)
    yield "a question, in dollars", *(f"{each:,.2f}" for each in scanned)


def _broken(clusters: list[Cluster]) -> Iterator[tuple[str, ...]]:
    for each in clusters:
        for i, line in enumerate(breaks(each) or ["nothing of what is counted here"]):
            yield str(each.n) if i == 0 else "", line


_PARTS = (WEIGHTS, FACTORS, PASS, BUDGET, INDEX, CORPUS)
_WHY = {
    "corpus pass": "the gradient index, hidden states and norms of every document",
    "factors": "eigenvectors and eigenvalues of every layer",
    VERBATIM: "suffix arrays over all tokens",
}
_RATES = [
    ("products, passes and what else a GPU computes", "see [Sizes](sizes.md#the-speeds-that-are-assumed)", "assumed"),
    (
        "words analysed and indexed in a second",
        f"{WORDS_A_SECOND:,}",
        "measured, one core: the demo's 83,333 in 0.96 s",
    ),
    ("bytes of the text index a word", f"{WORD_INDEXED}", "measured, the demo's corpus"),
    ("bytes a second from the disks of a node", f"{NODE_READ:.1e}".replace("e+", "e"), "assumed, four NVMe disks"),
    ("a GPU and an hour", f"{PRICE} dollars", "assumed; put yours in its place"),
    ("a TB of disk and a month", f"{STORED:g} dollars", "assumed"),
]

_BEGIN = f"""\
# Growth: what a hundred million documents would take

{DOCUMENTS:,} documents of {TOKENS} tokens, {MODEL}, and {DEVICES[0]} to {DEVICES[-1]} GPUs: on paper.
Nobody has run it. This page is made by the functions with which `whence plan` forecasts, as [Sizes](sizes.md) is, with
default settings.
A node is {NODE.name.removeprefix("a node of ")}.
Times may be a few times less or more; what breaks first, and why, is surer.
"""

_HOURS = f"""\
Stages that are cut into parts ({" and ".join(SHARED)}) are divided by the number of GPUs, but for what is written
to disk; the others take as long as on one.
"""

_COST = """\
A stage that one process does is paid for one GPU. A question occupies all of them.
"""

_BREAKS = f"""\
Named is what does not fit into what is there, a stage of more than {LIMIT // 86_400} days, and a question of more than
a minute.
"""

_END = """\
What follows from it. **The index, not the model, sets the size of the cluster**: its bytes are the number of documents
times a number that the shapes fix, so half the rank is half the disk and half of what a question reads. **A question
reads all of the index**: below the memory of all nodes together it is the products that take the time, above it the
disks. **The corpus pass is the bill**: it goes forward and backward over every document, and only a sample of them is
cheaper ([corpus] trained_on says of how many it is one). **What one process does stays**: factors, suffix arrays and
the text index take the same hours with 64 GPUs as with 8.
"""
