"""Seconds, memory and disk of each stage, from unit costs and sizes: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.config.config import Config
from indexer.config.estimator import estimators
from indexer.plan.units import CROWD, Units
from indexer.tracing.candidates import N_RANDOM
from indexer.tracing.prompt_share import SANITY_ANSWERS

START = 2.0  # seconds until the model and the documents are opened once more, and kronfluence is ready
EIGENVALUES = 8.0  # passes that fitting corrected eigenvalues costs a document, besides the rotation of its gradients
EACH = 2.25  # documents that the index proposes for a token, by all its rankings, for each of [index] candidates
WRITE = 0.3  # seconds that the smallest stage takes: rows written, hashed and synced
FORWARD = 0.7  # passes that two forward passes of a pair cost
ROWS = 0.01  # seconds until what is known of a generated token is ranked and written
NEW = 0.45  # share of the index's proposals for a token that no neighbouring token has


# what is to be measured before a stage's forecast is more than an estimate; of any other stage, everything
NEEDS = {
    "pairs": {"capture"},
    "factors": {"capture", "eigen", "rotation"},
    "answers": {"answer"},
    "prompts": {"share", "prompt_memory"},
    "corpus pass": {"corpus", "pass_memory"},
}


@dataclass(frozen=True)
class Work:
    """Sizes of everything that one size of the family has to do."""

    n_documents: int
    n_params: int
    n_tracked: int  # parameters of the linear layers
    factor_numbers: int  # of Q_A, Q_S and Λ of every layer, and of the embedding's Fisher
    n_prompts: int
    index_bytes: int  # a document
    n_embedding: int = 0  # parameters of embedding and head
    n_checkpoints: int = 0  # besides the model itself
    n_stages: int = 1  # of training: the influence on a fine-tuned model is traced through two
    learned_pairs: bool = False  # of answers, which the model and its reference read once
    others: tuple[str, ...] = ()  # methods besides the first, each with a stage of its own


@dataclass(frozen=True)
class Stage:
    name: str
    seconds: float  # of one thread or one accelerator
    memory: int  # bytes, at the highest
    disk: int  # bytes that stay


def forecast(work: Work, units: Units, config: Config, budget: int) -> list[Stage]:
    """The stages of one size. budget: bytes of directions that the influence stage holds at once.

    A build without influence has two.
    """
    n_tokens = work.n_prompts * units.n_tokens
    fitted = min(config.factors.documents, work.n_documents)
    corrected = min(config.factors.eigenvalue_documents, fitted)
    weights, factors = 4 * work.n_params, 4 * work.factor_numbers
    groups = max(1.0, n_tokens * 4 * work.n_tracked / budget)
    scores = config.scores
    exact = work.n_stages * (  # scores of the candidates, at one checkpoint
        n_tokens * units.query
        + min(N_RANDOM, work.n_documents) * units.score * n_tokens / CROWD
        + _documents_read(work, config, n_tokens, groups) * units.capture
        + n_tokens * _proposals(config) * units.position
    )
    influence = (
        exact
        + n_tokens * (work.n_stages * (units.estimate + work.n_documents * units.scan) + ROWS)
        + n_tokens * min(scores.token_losses, scores.position_shares) * units.loss
    )
    checked = min(SANITY_ANSWERS, work.n_prompts)  # once more, with shuffled weights
    kept = n_tokens * 4 * scores.documents
    of_group = n_tokens / groups  # tokens whose directions are held at once
    held = int(of_group * 4 * (work.n_tracked + work.n_embedding))
    prompts = [
        Stage("answers", WRITE + work.n_prompts * units.answer, units.resident, 200 * work.n_prompts),
        Stage(
            "prompts",
            WRITE + (work.n_prompts + checked) * units.share,
            units.resident + units.prompt_memory,
            int(500 * n_tokens),
        ),
    ]
    if not scores.method:
        return prompts
    factors_stage = Stage(
        "factors",
        START + units.eigen + 2 * fitted * units.capture + corrected * (EIGENVALUES * units.capture + units.rotation),
        units.resident + weights + 3 * factors,
        factors,
    )
    memory, rows = units.resident + units.score_memory + factors + held, int(200 * kept)
    others = []
    for method in work.others:
        by = estimators()[method]
        fits, passes = by.fits(work.n_checkpoints), by.passes(work.n_checkpoints)
        seconds = WRITE + n_tokens * ROWS + passes * exact + fits * factors_stage.seconds
        others.append(Stage(method, seconds, memory + fits * (weights + factors), rows + fits * factors))
    pairs = Stage("pairs", WRITE + FORWARD * work.n_documents * units.capture, units.resident, 8 * work.n_documents)
    return [
        *([pairs] if work.learned_pairs else []),
        factors_stage,
        *prompts,
        Stage(
            "corpus pass",
            work.n_documents * units.corpus,
            units.resident + units.pass_memory + factors + 2048 * work.index_bytes,
            work.n_documents * (work.index_bytes + 40),
        ),
        Stage("influence", influence, memory, rows),
        *others,
    ]


def _documents_read(work: Work, config: Config, n_tokens: float, groups: float) -> float:
    """Documents that are passed through the model for exact scores, some of them for several groups of tokens."""
    proposed = config.index.candidates * EACH * NEW * n_tokens + config.scores.candidates * work.n_prompts
    return groups * min(work.n_documents, N_RANDOM + proposed / groups)


def _proposals(config: Config) -> float:
    """Documents that are scored for one token besides the random ones."""
    return config.index.candidates * EACH + config.scores.candidates


def wall_seconds(sizes: Sequence[Sequence[Stage]], n_processes: int) -> float:
    """Of the whole build: processes share the parts of the last sizes, but one size's factors are one part."""
    totals = [sum(stage.seconds for stage in stages) for stages in sizes]
    fits = [stage.seconds for stages in sizes for stage in stages if stage.name == "factors"]
    return max(sum(totals) / n_processes, max(fits, default=0.0))
