"""The shapes of a model that its costs follow from, each kind of layer once with how many there are of it: pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from attribution.index.compress import DIRECTIONS, HEADER
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked


@dataclass(frozen=True)
class Shape:
    """Linear layers that cost the same."""

    n_out: int
    n_in: int
    n: int  # of them
    n_read: int  # inputs that they have together: those that read what the layer before reads share one

    @property
    def entries(self) -> int:
        """Numbers of one gradient."""
        return self.n_out * self.n_in


@dataclass(frozen=True)
class Parts:
    """What a model splits into, counts of a block; 0 where that is not known."""

    n_blocks: int = 0
    n_heads: int = 0
    n_kv_heads: int = 0
    n_neurons: int = 0

    @property
    def n(self) -> int:
        """All of them."""
        return self.n_blocks * (self.n_heads + self.n_kv_heads + self.n_neurons)


@dataclass(frozen=True)
class Shapes:
    """A model, and what of it is explained."""

    linear: tuple[Shape, ...]
    embedding: tuple[tuple[int, int], ...]  # (V, H) of each block: one where embedding and head are tied, () when off
    n_params: int
    vocabulary: int
    width: int  # H
    parts: Parts = Parts()

    @property
    def entries(self) -> int:
        """P of the linear layers."""
        return sum(of.n * of.entries for of in self.linear)

    @property
    def looked_up(self) -> int:
        """P of embedding and head."""
        return sum(n_out * n_in for n_out, n_in in self.embedding)

    @property
    def n_layers(self) -> int:
        return sum(of.n for of in self.linear)

    @property
    def factor_numbers(self) -> int:
        """Of Q_A, Q_S and Λ of every layer, and of the embedding's Fisher."""
        return sum(of.n * (of.n_in**2 + of.n_out**2 + of.entries) for of in self.linear) + self.looked_up

    @property
    def numbers_of_token(self) -> tuple[int, int]:
        """What the layers read, and what they write."""
        return sum(of.n_read * of.n_in for of in self.linear), sum(of.n * of.n_out for of in self.linear)

    def index_bytes(self, rank: float) -> int:
        """Of a document, as `attribution.index.compress.budget` has it."""
        pairs = (of.n * (min(of.n_out, DIRECTIONS) + min(of.n_in, DIRECTIONS) + HEADER) for of in self.linear)
        return round(rank * sum(pairs))


def shapes_of(tracked: Tracked) -> Shapes:
    """Of a model that is open, or of its outline."""
    head = tracked.loaded.model.get_output_embeddings().weight.shape
    embedding = tuple((of.n_out, of.n_in) for of in tracked.embedding)
    return Shapes(
        grouped(tracked.linear), embedding, tracked.loaded.n_params, int(max(head)), tracked.width, parts_of(tracked)
    )


def parts_of(tracked: Tracked) -> Parts:
    """As the settings and the layers say, without looking closer: a build may find that it cannot be split."""
    settings = tracked.loaded.settings
    heads = getattr(settings, "num_attention_heads", 0)
    kv_heads = getattr(settings, "num_key_value_heads", None) or heads
    mlp = [of.n_in - of.bias for of in tracked.linear if of.kind == "mlp" and of.n_out == tracked.width]
    if not mlp or not isinstance(heads, int) or any("expert" in of.name for of in tracked.linear):
        return Parts()
    return Parts(1 + max(of.depth for of in tracked.linear), heads, int(kv_heads), max(mlp))


def grouped(layers: Iterable[Layer]) -> tuple[Shape, ...]:
    """Layers by their two sides, the widest first."""
    every = list(layers)
    n = Counter((of.n_out, of.n_in) for of in every)
    read = Counter((of.n_out, of.n_in) for of in every if not of.reads_on)
    return tuple(
        Shape(*sides, n[sides], read[sides]) for sides in sorted(n, key=lambda of: (of[0] * of[1], of), reverse=True)
    )


def gated(
    *,
    hidden: int,
    layers: int,
    heads: int,
    kv_heads: int,
    mlp: int,
    vocabulary: int,
    tied: bool,
    bias: bool = False,
    head_size: int = 0,
) -> Shapes:
    """A model of the Llama kind: query, key and value with or without a bias, a gated MLP, norms without one."""
    size = head_size or hidden // heads
    read, kv = hidden + bias, kv_heads * size
    found = Counter({(heads * size, read): 1})
    found += Counter({(kv, read): 2})
    found += Counter({(hidden, heads * size): 1})
    found += Counter({(mlp, hidden): 2})
    found += Counter({(hidden, mlp): 1})
    first = Counter({(heads * size, read): 1})  # key and value read what query reads, up what gate reads
    first += Counter({(hidden, heads * size): 1})
    first += Counter({(mlp, hidden): 1})
    first += Counter({(hidden, mlp): 1})
    linear = tuple(Shape(*sides, layers * n, layers * first[sides]) for sides, n in found.items())
    ends = 1 if tied else 2
    n_params = sum(of.n * of.entries for of in linear) + ends * vocabulary * hidden + (2 * layers + 1) * hidden
    parts = Parts(layers, heads, kv_heads, mlp)
    return Shapes(linear, ((vocabulary, hidden),) * ends, n_params, vocabulary, hidden, parts)
