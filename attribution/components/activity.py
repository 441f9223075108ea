"""What a pass over a corpus tells of all components: their mean, their contexts, and how often a neuron was how active.

All of it is sums and lists of firsts, so that it depends on no batch and no order, and parts of a corpus add up.
Histograms have the same edges for all neurons and all models, powers of two up and down from 0. They are taken over
every n-th token: they show the same then, and to sort each number into its bin costs more than all else here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from attribution.components.baseline import Sums, no_sums, wrote
from attribution.components.contexts import Contexts, no_contexts
from attribution.components.stream import into_stream
from attribution.components.units import Units
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import Captured, forward

LOW, HIGH = -10, 16  # exponents of the smallest and of the largest edge
N_BINS = 2 * (HIGH - LOW) + 1  # below −2^(HIGH − 1), …, between −2^LOW and 2^LOW, …, from 2^(HIGH − 1) on
COUNTED = 2**14  # tokens that histograms are taken over, about


@dataclass
class Activity:
    """Of documents that were read; on the CPU or a device."""

    sums: Sums
    neurons: list[Contexts]  # of each block
    heads: list[Contexts]  # of each block
    counts: Tensor  # [L, neurons, N_BINS] int32

    def plus(self, other: "Activity") -> "Activity":
        """Of two parts of a corpus."""
        return Activity(
            self.sums.plus(other.sums),
            [a.plus(b) for a, b in zip(self.neurons, other.neurons, strict=True)],
            [a.plus(b) for a, b in zip(self.heads, other.heads, strict=True)],
            self.counts + other.counts,
        )

    def tensors(self) -> dict[str, Tensor]:
        """As they are stored."""
        made = {"n": torch.tensor([self.sums.n]), "sums.heads": self.sums.heads, "sums.neurons": self.sums.neurons}
        for name, of in (("heads", self.heads), ("neurons", self.neurons)):
            for part in fields(Contexts):
                made[f"{name}.{part.name}"] = torch.stack([getattr(each, part.name) for each in of])
        return made | {"counts": self.counts.long()}


def stored(tensors: Mapping[str, Tensor]) -> Activity:
    """What `Activity.tensors` gave."""
    heads, neurons = (
        [Contexts(*each) for each in zip(*(tensors[f"{name}.{part.name}"] for part in fields(Contexts)), strict=True)]
        for name in ("heads", "neurons")
    )
    sums = Sums(int(tensors["n"][0]), tensors["sums.heads"], tensors["sums.neurons"])
    return Activity(sums, neurons, heads, tensors["counts"].int())


class Watch:
    """Adds up what components do in batches that a document pass captured."""

    def __init__(self, tracked: Tracked, units: Units, n_tokens: int, most: int = 8) -> None:
        """n_tokens: of the whole corpus, about   most: contexts of a component"""
        L, like = units.n_blocks, tracked.zeros(0)
        self._tracked, self._units, self._every = tracked, units, max(1, n_tokens // COUNTED)
        self._grams = [_gram(tracked, units, name) for name in units.heads_into]
        self._first = torch.arange(units.n_neurons, device=tracked.device) * N_BINS
        self.activity = Activity(
            no_sums(units),
            [no_contexts(units.n_neurons, most, like) for _ in range(L)],
            [no_contexts(units.n_heads, most, like) for _ in range(L)],
            torch.zeros(L, units.n_neurons, N_BINS, dtype=torch.int32, device=tracked.device),
        )

    @torch.no_grad()
    def add(self, captured: Captured, documents: Sequence[int]) -> None:
        """documents: number in the corpus of each one of the batch. One whose numbers are not finite is left out."""
        batch, found = captured.batch, self.activity
        finite = torch.isfinite(captured.hidden).flatten(1).all(dim=1)
        is_token = batch.is_token & finite[:, None]
        elsewhere = (~is_token).flatten().nonzero()[:, 0]
        numbers = torch.tensor(list(documents), device=is_token.device)
        places = is_token.cumsum(dim=1) - 1  # [B, T]
        sampled = (is_token & ((places + numbers[:, None]) % self._every == 0)).flatten().nonzero()[:, 0]
        found.sums.n += int(is_token.sum())
        for depth, each in enumerate(wrote(self._tracked, self._units, captured)):
            z, a = (_emptied(x, elsewhere) for x in each)
            found.sums.add(depth, z, a)
            found.neurons[depth] = found.neurons[depth].with_batch(a, numbers, places)
            lengths = self._lengths(depth, z)
            found.heads[depth] = found.heads[depth].with_batch(lengths, numbers, places)
            found.counts[depth] += self._counted(a.flatten(0, 1)[sampled])

    def _lengths(self, depth: int, z: Tensor) -> Tensor:
        """‖o_h z_h‖  # [B, T, heads · width] -> [B, T, heads]"""
        of = z.unflatten(-1, (self._units.n_heads, self._units.head_width)).movedim(2, 0)  # [heads, B, T, width]
        turned = torch.matmul(of, self._grams[depth][:, None])
        squares: Tensor = (turned * of).sum(dim=-1)
        return squares.clamp_(min=0).sqrt_().movedim(0, -1)

    def _counted(self, a: Tensor) -> Tensor:
        """Of some tokens  # [n, neurons] -> [neurons, N_BINS]"""
        bins = bin_of(a).add_(self._first)
        made = torch.bincount(bins.flatten(), minlength=self._units.n_neurons * N_BINS)
        return made.view(-1, N_BINS).int()


@dataclass(frozen=True)
class Corpus:
    """How activity is watched in a corpus; the same for all of its parts."""

    units: Units
    n_tokens: int  # of all documents
    most: int  # contexts of a component

    def watch(self, tracked: Tracked) -> Watch:
        return Watch(tracked, self.units, self.n_tokens, max(1, self.most))


def over_corpus(
    tracked: Tracked,
    corpus: Corpus,
    documents: Sequence[Row],
    first: int,
    tick: Callable[[int], None] | None = None,
) -> Activity:
    """Of some documents, which are number `first` and so on of the corpus, from a pass of its own, forward only: where
    the document pass has not been watched. `tick(n)` after n of them.

    Raises BadInput for a document that is empty or longer than the context.
    """
    watch, nothing = corpus.watch(tracked), torch.empty(0)
    for batch in batches(documents, tracked.loaded.context, tracked.device, tracked.batch_tokens):
        run = forward(tracked, batch.rows)
        inputs, hidden = tuple(batch.joined(a) for a in run.inputs), batch.joined(run.hidden.detach())
        captured = Captured(batch, inputs, (), hidden, nothing, nothing, nothing)
        watch.add(captured, [first + i for i in batch.members])
        if tick is not None:
            tick(len(batch.members))
    return watch.activity


def edges() -> Tensor:
    """Of the histograms; what lies beyond the outer two is counted between the last two  # [N_BINS + 1] float64"""
    up = 2.0 ** torch.arange(LOW, HIGH + 1, dtype=torch.float64)
    return torch.cat([-up.flip(0), up])


def bin_of(x: Tensor) -> Tensor:
    """Which bin of the histograms a number lies in: of two neighbours at an edge the one farther from 0."""
    sizes = x.abs().clamp_(2.0 ** (LOW - 1), 2.0 ** (HIGH - 0.5))
    steps = torch.frexp(sizes).exponent.sub_(LOW)  # 0 for all below 2^LOW
    return torch.copysign(steps.float(), x).long().add_(HIGH - LOW)


def _emptied(x: Tensor, places: Tensor) -> Tensor:
    """With zeros at some of B · T places.    x: [B, T, n]"""
    if not len(places):
        return x
    return x.flatten(0, 1).clone().index_fill_(0, places, 0).view(x.shape)


def _gram(tracked: Tracked, units: Units, name: str) -> Tensor:
    """o_hᵀ o_h of every head  # [heads, width, width]"""
    weight, _ = into_stream(tracked, name)
    of = weight.unflatten(1, (units.n_heads, units.head_width)).movedim(1, 0)  # [heads, H, width]
    gram: Tensor = of.mT @ of
    return gram
