"""The page of sizes: what `plan` would say of models whose shapes are public, at three sizes of a corpus. Pure.

Everything comes from the functions by which `plan` forecasts, with assumed speeds: nothing is measured here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from attribution.machine import SHARE
from attribution.schedule import Schedule, of_kind
from docs.generate.markdown import table
from indexer.config.config import Config, Corpus, Model, Output, Prompts
from indexer.plan.advice import CHANGE, duration, size
from indexer.plan.forecast import Stage, asking, forecast
from indexer.plan.memory import CORPUS, INDEX, REST
from indexer.plan.shapes import Shapes, gated
from indexer.plan.speeds import READ, Speeds, assumed
from indexer.plan.work import Work

MODELS = {
    "SmolLM2-135M": gated(
        hidden=576, layers=30, heads=9, kv_heads=3, mlp=1536, vocabulary=49_152, tied=True
    ),
    "Qwen2.5-0.5B": gated(
        hidden=896, layers=24, heads=14, kv_heads=2, mlp=4864, vocabulary=151_936, tied=True, bias=True
    ),
    "Llama-3.2-1B": gated(
        hidden=2048, layers=16, heads=32, kv_heads=8, mlp=8192, vocabulary=128_256, tied=True
    ),
    "Llama-3.1-8B": gated(
        hidden=4096, layers=32, heads=32, kv_heads=8, mlp=14_336, vocabulary=128_256, tied=False
    ),
}  # fmt: skip
SAID = """\
| model | hidden | layers | heads | key–value heads | MLP | vocabulary |
| --- | --- | --- | --- | --- | --- | --- |
| SmolLM2-135M | 576 | 30 | 9 | 3 | 1,536 | 49,152, tied |
| Qwen2.5-0.5B | 896 | 24 | 14 | 2 | 4,864 | 151,936, tied |
| Llama-3.2-1B | 2,048 | 16 | 32 | 8 | 8,192 | 128,256, tied |
| Llama-3.1-8B | 4,096 | 32 | 32 | 8 | 14,336 | 128,256 |
"""
DOCUMENTS = (10**4, 10**6, 10**8)
TOKENS, PROMPTS, READ_TOKENS, WRITTEN = 256, 20, 20, 32
CONFIG = Config(
    corpus=Corpus(()), model=(Model("m", "f", "m"),), prompts=Prompts(Path("p.jsonl")), output=Output(Path("build"))
)


@dataclass(frozen=True)
class Machine:
    name: str
    kind: str  # of device, as torch names it
    n: int  # accelerators that share out documents and tokens
    memory: float  # bytes of one accelerator, or of the machine where it has none
    host: float  # bytes of the machine
    disk: float

    @property
    def schedule(self) -> Schedule:
        return replace(of_kind(self.kind), memory=int(SHARE * self.memory))


MACHINES = (
    Machine("Two cores, 16 GB of memory, 1 TB of disk", "cpu", 1, 16e9, 16e9, 1e12),
    Machine("One H100 with 80 GB, 256 GB of memory, 8 TB of disk", "cuda", 1, 80e9, 256e9, 8e12),
    Machine("Eight H100, 2 TB of memory, 30 TB of disk", "cuda", 8, 80e9, 2e12, 30e12),
)
HEAD = ("model", "documents", "factors", "corpus pass", "influence", "in all", "ask", "memory", "disk", "breaks first")


def page() -> str:
    parts = [_BEGIN, SAID]
    for machine in MACHINES:
        parts.append(f"## {machine.name}\n")
        parts.append(table(HEAD, _rows(machine)))
    parts += ["## The speeds that are assumed\n", _speeds(), _END]
    return "\n".join(parts)


def stages_of(of: Shapes, n_documents: int, machine: Machine) -> tuple[list[Stage], list[Stage]]:
    """Of a build, and of a question."""
    work = Work(of, n_documents, TOKENS, TOKENS, TOKENS, PROMPTS, READ_TOKENS, WRITTEN)
    alone = assumed(machine.kind, of.n_params)
    single, shared = (forecast(work, speeds, CONFIG, machine.schedule) for speeds in (alone, alone.faster(machine.n)))
    together = [b if b.name in ("corpus pass", "influence") else a for a, b in zip(single, shared, strict=True)]
    return together, asking(work, alone.faster(machine.n), CONFIG, machine.schedule)


def breaks(stages: list[Stage], machine: Machine) -> str:
    """What is too small first, in the order of the build, and the setting that would change it."""
    for stage in stages:
        on_device = {
            part: n for part, n in stage.parts.items() if machine.kind == "cpu" or part not in (INDEX, CORPUS, REST)
        }
        largest = max(on_device, key=lambda part: on_device[part])
        if sum(on_device.values()) > machine.memory:
            return f"memory in {stage.name}: {largest}, {size(on_device[largest])}; {CHANGE[largest]}"
        if sum(n for part, n in stage.parts.items() if part not in on_device) > machine.host:
            return f"memory of the host in {stage.name}; {CHANGE[INDEX]}"
        if stage.disk > machine.disk:
            return f"disk in {stage.name}, {size(stage.disk)}; {CHANGE[INDEX]}"
    return ""


def _rows(machine: Machine) -> Iterator[tuple[str, ...]]:
    for name, of in MODELS.items():
        for n_documents in DOCUMENTS:
            stages, (first, whole) = stages_of(of, n_documents, machine)
            seconds = {stage.name: stage.seconds for stage in stages}
            yield (
                name,
                f"{n_documents:,}",
                *(duration(seconds[each]) for each in ("factors", "corpus pass", "influence")),
                duration(sum(seconds.values())),
                f"{duration(first.seconds)}, {duration(whole.seconds)}",
                size(max(stage.memory for stage in stages)),
                size(sum(stage.disk for stage in stages)),
                breaks(stages, machine),
            )


def _speeds() -> str:
    def row(kind: str, of: Speeds) -> tuple[str, ...]:
        rates = (of.products, of.passed, of.touched, of.decomposed, of.scanned, READ[kind])
        return (kind, *(f"{rate:.1e}".replace("e+", "e") for rate in rates))

    head = ("device", "products", "passes", "numbers squared and weighed", "eigenvectors", "index read", "weights read")
    return table(head, [row(kind, assumed(kind, 0)) for kind in ("cpu", "cuda")])


_BEGIN = f"""\
# Sizes: what a build takes

This page is made by the functions with which `whence plan` forecasts, from shapes alone. Nothing on it was measured:
times may be a few times less or more. `whence plan` measures your machine and your documents before it says anything
for certain, and names the setting to change.

Default settings; {PROMPTS} prompts of {READ_TOKENS} tokens, each answered with {WRITTEN}; documents of {TOKENS} tokens.
*ask* is the time until first estimates are there, and until everything is. *Memory* is that of the highest stage, of
device and host together: weights, factors, one pass and the budget ([device] memory: a quarter of what is free, unless
it is set). Where something does not fit, the last column says what breaks first, and which setting changes it.
"""

_END = """\
Multiply-adds in a second for products, passes and eigenvectors (in float64), numbers for gradients that are squared and
weighed, bytes for what is read. One process uses one GPU; over several, parts of the corpus pass and of the influence
are handed out ([`[run]`](more-machines.md)), as the table of eight counts them; the factors of one model are one
process's.
*ask* takes the index to lie in memory; where it is larger, disks decide: [Growth](growth.md).
"""
