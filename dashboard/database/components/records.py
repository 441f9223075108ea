"""What the questions about heads and neurons are answered with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.database.components.name import Component

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """What a model consists of, counts of a block: 0 where it cannot be split. notice: why, or why its parts cannot be
    followed to the logits; '' where both can be."""

    n_blocks: int
    n_heads: int
    n_kv_heads: int
    n_neurons: int
    notice: str

    def width(self, kind: str) -> int:
        """Components of that kind in a block."""
        return {"head": self.n_heads, "kv_head": self.n_kv_heads, "neuron": self.n_neurons}[kind]

    def at(self, kind: str, place: int) -> Component:
        """place: depth · width + number, as the lists of the database count."""
        return Component(kind, *divmod(place, self.width(kind)))

    @property
    def known(self) -> bool:
        """Whether it has parts."""
        return self.n_heads > 0

    def holds(self, component: Component) -> bool:
        return component.depth < self.n_blocks and component.number < self.width(component.kind)


@dataclass(frozen=True)
class Effect:
    """What the components write at one token. Heads: [blocks · heads], depth by depth; mlp: [blocks], the sum over all
    neurons of a block; neurons: places of those that are kept. Direct ones in units of the logit, total ones in nats.
    logit: the sum of all direct ones; against: the foil whose logit is taken off, '' for none."""

    position: int
    direct_heads: Floats
    total_heads: Floats
    direct_mlp: Floats
    total_mlp: Floats
    neurons: list[int]
    direct_neurons: Floats
    total_neurons: Floats
    direct_embedding: float
    direct_bias: float
    logit: float
    against: str


@dataclass(frozen=True)
class Taught:
    """What a document did for one token through each component, nats; lists as in Effect."""

    position: int
    document_id: str
    head_scores: Floats
    kv_head_scores: Floats
    neurons: list[int]
    neuron_scores: Floats
    neuron_rest: float
    bias_score: float


@dataclass(frozen=True)
class Replaced:
    """A component that was really replaced by its mean. chosen: strongest or random, or other where all heads were;
    nats of log p that it held: predicted, to first order, and measured."""

    position: int
    component: Component
    chosen: str
    predicted: float
    measured: float


@dataclass(frozen=True)
class LensPoint:
    """What the model would say after a block (depth; -1: after the embedding). logp, rank: of the token it wrote."""

    position: int
    depth: int
    logp: float
    rank: int
    top_text: str
    top_logp: float


@dataclass(frozen=True)
class Context:
    """A training context in which a component is strong; value: its activation, or the size of a head's output."""

    document_id: str
    token_position: int
    value: float


@dataclass(frozen=True)
class Activations:
    """Of a neuron over the corpus; counts[i]: tokens between edges[i] and edges[i + 1]."""

    edges: list[float]
    counts: list[int]
    mean: float


@dataclass(frozen=True)
class Spoken:
    """Tokens that the output direction of a neuron promotes and suppresses, strongest first, with their logits."""

    promoted: list[str]
    promoted_by: list[float]
    suppressed: list[str]
    suppressed_by: list[float]


@dataclass(frozen=True)
class Mattered:
    """An answer, and the token of it at which a component has its largest total effect, nats."""

    generation_id: str
    position: int
    effect: float
    prompt: str
    answer: str
    token: str
    start: int
    stop: int


@dataclass(frozen=True)
class Teacher:
    """A document over all stored answers: nats through one component, their sum and the sum of their sizes."""

    document_id: str
    score: float
    size: float
    n_tokens: int
