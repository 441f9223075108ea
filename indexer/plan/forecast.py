"""Seconds, memory and disk of each stage: what there is to do, times what each kind of work takes: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from attribution.passes.room import NUMBER
from attribution.schedule import Schedule
from indexer.config.config import Config
from indexer.config.estimator import estimators
from indexer.plan import groups, inside, memory, sets, verbatim
from indexer.plan import work as takes
from indexer.plan.exact import LOSS, documents_read, looking_closer, n_parts, scoring, spans
from indexer.plan.speeds import Speeds
from indexer.plan.work import Work
from indexer.tracing.prompt_share import SANITY_ANSWERS

WRITE = 0.3  # seconds that the smallest stage takes: rows written, hashed and synced
ROWS = 0.01  # seconds until what is known of a generated token is ranked and written
SOLVED = 3.3  # passes that a step of conjugate gradients takes: forward with its derivative, and back
FORWARD = 0.7  # passes that two forward passes of a pair cost
DISK = 3e8  # bytes in a second that are written and hashed
FIRST, ASK, INSIDE, GROUPS = "ask, first estimates", "ask", "heads and neurons", "groups"
SETS, VERBATIM = "target sets", "verbatim"


@dataclass(frozen=True)
class Stage:
    name: str
    seconds: float  # of one process with its threads, or of one accelerator
    parts: Mapping[str, int]  # bytes of memory at the highest, by what they are
    disk: int  # bytes that stay
    rows: int = 0  # of the database, where they are many

    @property
    def memory(self) -> int:
        return sum(self.parts.values())


def forecast(work: Work, speeds: Speeds, config: Config, schedule: Schedule) -> list[Stage]:
    """The stages of a build of one size, in order; a build without influence has the first few."""
    of, scores, queries = work.shapes, config.scores, work.n_queries
    answered, shared = answering(work, speeds), sharing(work, speeds)
    prompts = [
        Stage("answers", WRITE + work.n_prompts * answered, memory.prompts(work), 200 * work.n_prompts),
        Stage(
            "prompts",
            WRITE + (work.n_prompts + min(SANITY_ANSWERS, work.n_prompts)) * shared,  # once more, with shuffled weights
            memory.prompts(work),
            int(500 * queries),
        ),
    ]
    within = inside.rows(work, config)
    seconds = WRITE + work.n_prompts * inside.effects(work, speeds, config) + inside.naming(work, speeds)
    looked = Stage(INSIDE, seconds, memory.prompts(work), inside.disk(work, config), sum(within.values()))
    looking = [looked] if config.inside.enabled else []
    if not scores.method:
        return [*prompts, *looking]
    index_bytes, factors = of.index_bytes(config.index.rank), memory.of_factors(of)
    fitted = min(config.factors.documents, work.n_documents)
    corrected = min(config.factors.eigenvalue_documents, fitted)
    fit = Stage(
        "factors",
        speeds.opened + fitting(work, speeds, fitted, corrected, memory.passes_of_fit(of, schedule)) + factors / DISK,
        memory.fitting(work, schedule, fitted),
        factors,
    )
    asked = (work, speeds, config, schedule, queries, work.n_prompts, n_parts(work))
    exact, closer = scoring(*asked), looking_closer(*asked)
    of_tokens = scoring(work, speeds, replace(config, scores=replace(scores, words=False)), *asked[3:])
    n_spans, n_several = spans(config, queries, work.n_prompts)
    kept, kept_of_spans = (int(200 * n * NUMBER * scores.documents) for n in (queries, n_spans))
    read = documents_read(work, config, queries, work.n_prompts)
    held = memory.scoring(work, schedule, index_bytes, read, queries + n_several)
    estimates = work.n_stages * estimating(work, speeds, config, queries)
    others, fitted = [], 0
    for method in work.others:
        by = estimators()[method]
        fits, passes = max(0, by.fits(work.n_checkpoints) - fitted), by.passes(work.n_checkpoints)
        fitted += fits  # what one has fitted is there for the next
        seconds = WRITE + queries * ROWS + passes * of_tokens + fits * fit.seconds
        asks = queries + len(config.targets) * by.sets
        solved = asks * by.solves(replace(scores, cg_documents=min(scores.cg_documents, work.n_documents)))
        if by.words and by.positions and scores.words:  # what learning each token did, of whole answers
            learned = passes * work.n_prompts * min(scores.token_losses, scores.position_shares)
            seconds += LOSS * takes.passing(of, speeds, learned * work.n_tokens)
        seconds += SOLVED * takes.passing(of, speeds, solved * work.n_tokens)
        others.append(Stage(method, seconds, fit.parts if fits else held, kept + fits * factors))
    judging = WRITE + FORWARD * work.n_documents * takes.passing(of, speeds, work.n_tokens)
    copied = Stage(VERBATIM, 2 * WRITE + verbatim.seconds(work), verbatim.memory(work), verbatim.disk(work))
    copying = [copied] if config.verbatim.enabled else []
    pairs = Stage("pairs", judging, memory.passing_corpus(work, schedule, 0), 8 * work.n_documents)
    return [
        *([pairs] if work.learned_pairs else []),
        fit,
        *prompts,
        Stage(
            "corpus pass",
            passing_corpus(work, speeds, config) + work.n_documents * index_bytes / DISK,
            memory.passing_corpus(work, schedule, index_bytes),
            work.n_documents * (index_bytes + 2 * of.width + 40),
        ),
        Stage(
            "influence",
            WRITE + exact + closer + estimates + (queries + n_spans) * ROWS,
            held,
            kept + kept_of_spans,
        ),
        *(_groups(work, speeds, config, schedule) if config.groups.by else []),
        *copying,
        *(_sets(work, speeds, config, schedule) if config.targets else []),
        *looking,
        *others,
    ]


def _groups(work: Work, speeds: Speeds, config: Config, schedule: Schedule) -> list[Stage]:
    """Whole groups of documents; the corpus pass adds them up."""
    most = groups.held(work, schedule) * groups.of_cell(work) if groups.kept(work, config, schedule) else 0
    parts = {**memory.passing_corpus(work, schedule, 0), memory.BUDGET: most}
    seconds = WRITE + groups.seconds(work, speeds, config, schedule)
    seconds += groups.disk(work, config, schedule) / DISK
    return [Stage(GROUPS, seconds, parts, groups.disk(work, config, schedule), groups.rows(work))]


def _sets(work: Work, speeds: Speeds, config: Config, schedule: Schedule) -> list[Stage]:
    """Target sets, one after the other."""
    parts = {**memory.passing_corpus(work, schedule, 0), memory.BUDGET: sets.held(work)}
    seconds = len(config.targets) * WRITE + sets.seconds(work, speeds, config)
    return [Stage(SETS, seconds, parts, sets.disk(work, config), sets.rows(work, config))]


def asking(work: Work, speeds: Speeds, config: Config, schedule: Schedule) -> list[Stage]:
    """Of one new prompt: until first estimates are there, and until everything is; [] without influence."""
    if not config.scores.method:
        return []
    queries, index_bytes = work.n_written, work.shapes.index_bytes(config.index.rank)
    first = speeds.opened + answering(work, speeds) + work.n_stages * estimating(work, speeds, config, queries)
    exact = scoring(work, speeds, config, schedule, queries, 1)
    closer = looking_closer(work, speeds, config, schedule, queries, 1)
    asks = queries + spans(config, queries, 1)[1]
    held = memory.scoring(work, schedule, index_bytes, documents_read(work, config, queries, 1), asks)
    looked = inside.effects(work, speeds, config) if config.inside.enabled else 0.0
    return [Stage(FIRST, first, held, 0), Stage(ASK, first + exact + closer + sharing(work, speeds) + looked, held, 0)]


def answering(work: Work, speeds: Speeds) -> float:
    """One prompt: read at once, written token by token."""
    return takes.passing(work.shapes, speeds, work.n_read) / 3 + work.n_written * speeds.written


def sharing(work: Work, speeds: Speeds) -> float:
    """What one prompt did for its answer."""
    return speeds.shared * answering(work, speeds)


def fitting(work: Work, speeds: Speeds, fitted: int, corrected: int, n_passes: tuple[int, int]) -> float:
    """Three passes, the first two for each group of layers: covariances; eigenvalues, from squares in the eigenbasis;
    the embedding, from squares of what is read and of the logits."""
    of, T = work.shapes, work.n_tokens
    linear = n_passes[0] * takes.passing(of, speeds, fitted * T) + takes.adding_covariances(of, speeds, fitted * T)
    linear += n_passes[1] * takes.passing(of, speeds, corrected * T) + takes.turning(of, speeds, corrected * T)
    linear += corrected * of.entries * (T / speeds.products + 1 / speeds.touched)
    embedding = takes.passing(of, speeds, fitted * T) if of.embedding else 0.0
    embedding += fitted * T * sum(n_out for n_out, _ in of.embedding) / speeds.touched
    return linear + embedding + takes.decomposing(of, speeds)


def passing_corpus(work: Work, speeds: Speeds, config: Config) -> float:
    """A pass, watched; its tokens turned; gradients formed and their squares weighed; triplets of every layer."""
    of, tokens = work.shapes, work.n_documents * work.n_tokens
    whole = takes.passing(of, speeds, tokens) + takes.turning(of, speeds, tokens) + takes.forming(of, speeds, tokens)
    whole += inside.watching(work, speeds) if config.inside.enabled else 0.0
    return whole + takes.touching(of, speeds, work.n_documents) + takes.cutting(of, speeds, work.n_documents)


def estimating(work: Work, speeds: Speeds, config: Config, queries: float) -> float:
    """What the index says of all documents: queries pulled back, turned, formed and factored; the index scanned."""
    of, read = work.shapes, work.n_read + work.n_written
    asked = takes.passing(of, speeds, queries * read) + takes.turning(of, speeds, queries * read)
    asked += takes.forming_directions(of, speeds, queries, read) + takes.factoring(of, speeds, queries)
    return asked + queries * work.n_documents * of.index_bytes(config.index.rank) / speeds.scanned


def wall_seconds(sizes: Sequence[Sequence[Stage]], n_processes: int) -> float:
    """Of the whole build: processes share the parts of the last sizes, but one size's factors are one part."""
    totals = [sum(stage.seconds for stage in stages) for stages in sizes]
    fits = [stage.seconds for stages in sizes for stage in stages if stage.name == "factors"]
    return max(sum(totals) / n_processes, max(fits, default=0.0))
