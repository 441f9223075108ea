"""What the questions to the database are answered with: one frozen record per kind of thing."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from dashboard.database.topic_name import topic_name
from indexer.corpus.verdict import is_right


@dataclass(frozen=True)
class Model:
    model_id: str
    name: str
    family: str
    n_params: int
    n_layers: int
    stage: str
    parent: str
    tokenizer_id: str


@dataclass(frozen=True)
class Run:
    run_id: str
    model_id: str
    method: str
    damping: float
    settings: str
    seconds: float
    device: str


@dataclass(frozen=True)
class Generation:
    """What one model wrote after one prompt; `right` is None where the prompt file names no answer."""

    generation_id: str
    prompt_id: str
    prompt: str
    kind: str
    topic: str
    answer: str
    text: str
    created_at: datetime | None
    model: Model

    @property
    def right(self) -> bool | None:
        return is_right(self.answer, self.text, self.kind) if self.answer else None


@dataclass(frozen=True)
class Token:
    """One token of an answer. logp, foil_logp: nats, NaN where unknown; others: None where not measured."""

    position: int
    text: str
    start: int
    stop: int
    logp: float
    foil_text: str
    foil_logp: float
    bits_nothing: float | None
    bits_question: float | None
    bits_documents: float | None
    bits_full: float | None
    kl_context: float | None
    kl_reversed: float | None = None
    js_context: float | None = None


@dataclass(frozen=True)
class ReadToken:
    """A token of a text as one size read it. logp, said_logp: nats; said_text: what it finds most likely there."""

    position: int
    logp: float
    said_text: str
    said_logp: float
    bits_nothing: float | None
    bits_full: float | None


@dataclass(frozen=True)
class PromptToken:
    """part: that of the prompt which the token belongs to; None where it is not known."""

    position: int
    text: str
    start: int
    stop: int
    part: int | None = None


@dataclass(frozen=True)
class PromptPart:
    part: int
    kind: str
    title: str
    start: int
    stop: int


@dataclass(frozen=True)
class Target:
    """One query of a run, and the scores of random documents for it. null_scores: [R] nats."""

    position: int
    measurement: str
    value: float
    self_influence: float
    n_scored: int
    null_scores: NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    layer: int
    name: str
    kind: str  # attention, mlp, embedding
    depth: int


@dataclass(frozen=True)
class KeptScores:
    """Kept scores of one token, one row each. score: [N] nats; layer_scores: [N, L]."""

    position: NDArray[np.int64]
    rank: NDArray[np.int64]
    document_id: list[str]
    score: NDArray[np.float64]
    self_influence: NDArray[np.float64]
    grad_norm: NDArray[np.float64]
    solve_norm: NDArray[np.float64]
    query_self_influence: NDArray[np.float64]  # in the stage of training that read the document
    layer_scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.document_id)


@dataclass(frozen=True)
class StoredDocument:
    document_id: str
    corpus: str
    title: str
    source: str
    topic: str
    text: str
    turns: str = ""  # what the text is made of where it is no plain one, as JSON
    times: int = 1  # that it stands in the training files

    @property
    def where(self) -> str:
        """Source and topic, as far as they are known."""
        return " · ".join(filter(None, (self.source, topic_name(self.topic))))


@dataclass(frozen=True)
class AsRead:
    """A document as the models of one tokenizer read it in training, an entry for each of T tokens.

    starts, stops: characters of what was read; specials have start = stop. windows: from 0. learned: whether training
    asked for the token; what begins a window never is.
    """

    texts: list[str]
    starts: list[int]
    stops: list[int]
    windows: list[int]
    learned: list[bool]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Heat:
    """What each token of a document carries. shares, loss_influences: [T] nats; empty where not stored."""

    texts: list[str]
    shares: NDArray[np.float64]
    loss_influences: NDArray[np.float64]


@dataclass(frozen=True)
class AsTrained:
    """How training read a document: tokens over all windows, those that it learned, and the windows."""

    n_tokens: int
    n_learned: int
    n_windows: int


@dataclass(frozen=True)
class Best:
    """The document with the largest sum of stored influence on an answer, nats; n_tokens of its of_tokens are in it."""

    document_id: str
    title: str
    summed: float
    n_tokens: int
    of_tokens: int
    run_id: str = ""
    logp: float = float("nan")  # of the answer


@dataclass(frozen=True)
class Measure:
    """How far one attribution agrees with what the model does; `random` is what chance gives, None without such."""

    method: str
    metric: str
    value: float
    random: float | None
    detail: str


@dataclass(frozen=True)
class Relabelling:
    """Influence, in nats, of training on `instead` where a document says `said`."""

    token_position: int
    said: str
    instead: str
    influence: float


@dataclass(frozen=True)
class Suspect:
    """What may speak against a document, nats; None: not computed, or not kept of this one.

    `harm`: its influence on a target set, which it hurts where that is negative. The best relabelling: training on
    `instead` where it says `said` would change one token of an answer by `gain`, beside the document's own `score`
    there; `probability`: of the replacement, by the model.
    """

    document_id: str
    self_influence: float | None = None
    loss: float | None = None
    harm: float | None = None
    gain: float | None = None
    probability: float | None = None
    score: float | None = None
    said: str = ""
    instead: str = ""
    token_position: int | None = None
    generation_id: str = ""
    position: int | None = None
    logp: float | None = None  # of that token of the answer, nats


@dataclass(frozen=True)
class FoundWrong:
    """What an order of documents found of the mislabelled facts that a size was trained with: the share among its first
    10 %, and how often one stands before a right document."""

    name: str
    within_ten: float
    auc: float
