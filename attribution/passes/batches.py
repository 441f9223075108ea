"""Documents as padded batches: rows of similar length share a batch, and lengths travel along instead of a pad id."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.errors import BadInput
from attribution.passes.preference import Preference

Range = tuple[int, int]

TOKENS = 1024  # padded tokens of a batch: large enough for dense products, small enough for the cache
MOST = 128  # documents of a batch


@dataclass(frozen=True)
class Row:
    """Token ids of one training text, in the windows in which the model read them.

    A token is learned (a target) if the model was trained to predict it: from `first_target` on, and inside `learned`
    where that is given. What stands before the first target is read only (a question, the bos), and so is the first
    token of every window, which nothing predicts. Gradients of a document are sums over its windows. One that training
    saw several times counts as often: its loss is that of all its copies.
    """

    ids: tuple[int, ...]  # of all windows, one after the other
    first_target: int = 1
    learned: tuple[Range, ...] | None = None  # [start, stop) of ids that are targets; None: all of them
    windows: tuple[int, ...] = ()  # tokens of each window; () for one that holds everything
    preference: Preference | None = None  # of a pair: the window of the chosen answer, then that of the rejected
    times: int = 1  # that training saw it

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def widths(self) -> tuple[int, ...]:
        """Tokens of each window."""
        return self.windows or (len(self.ids),)

    def targets(self) -> NDArray[np.bool_]:
        """Whether each token is learned  # [T]"""
        inside = np.arange(len(self.ids)) >= max(self.first_target, 1)
        inside[np.cumsum((0, *self.widths[:-1]))] = False
        if self.learned is not None:
            wanted = np.zeros(len(self.ids), dtype=bool)
            for start, stop in self.learned:
                wanted[start:stop] = True
            inside &= wanted
        return inside

    @property
    def once(self) -> "Row":
        """The same, seen once."""
        return self if self.times == 1 else replace(self, times=1)

    def rows(self) -> list["Row"]:
        """Its windows as documents of their own, each seen once: the same targets, read the same way, with the sum of
        their losses."""
        if not self.windows:
            return [self.once]
        targets, made, start = self.targets(), [], 0
        for width in self.windows:
            stop = start + width
            learned = tuple((t, t + 1) for t in np.flatnonzero(targets[start:stop]).tolist())
            made.append(Row(self.ids[start:stop], 1, learned))
            start = stop
        return made


Shapes = NDArray[np.int32]  # [D, 3] whether each document is a pair, its windows, and tokens of the longest of them


class Rows(Sequence[Row]):
    """n documents, each made when it is asked for; batches are planned by shapes, for which none has to be made."""

    def __init__(self, n: int, make: Callable[[int], Row], shapes: Callable[[], Shapes] | None = None) -> None:
        """shapes: None makes every document once, where they are asked for."""
        self._n, self._make, self._shapes = n, make, shapes or (lambda: _measured(self))

    @cached_property
    def shapes(self) -> Shapes:
        return self._shapes()

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> "Rows": ...

    def __getitem__(self, at: int | slice) -> "Row | Rows":
        if not isinstance(at, slice):
            return self._make(range(self._n)[int(at)])
        some = range(self._n)[at]
        return Rows(len(some), lambda i: self._make(some[i]), lambda: self.shapes[at])

    def seen(self, times: NDArray[np.int32]) -> "Rows":
        """The same, each seen as often as `times` says  # [D]"""
        if not (times > 1).any():
            return self
        return Rows(len(self), lambda i: replace(self[i], times=int(times[i])), lambda: self.shapes)

    def judged(self, preferences: Callable[[], Sequence[Preference]]) -> "Rows":
        """Pairs with what their loss is at some weights, which is asked for when the first of them is."""

        def shapes() -> Shapes:
            return self.shapes * np.array([0, 1, 1], dtype=np.int32) + np.array([1, 0, 0], dtype=np.int32)

        return Rows(len(self), lambda i: replace(self[i], preference=preferences()[i]), shapes)

    def followed_by(self, others: "Rows") -> "Rows":
        """All of these, then all of the others."""
        n = self._n
        return Rows(
            n + len(others),
            lambda i: self[i] if i < n else others[i - n],
            lambda: np.concatenate([self.shapes, others.shapes]),
        )


def _measured(documents: Sequence[Row]) -> Shapes:
    shapes = [(each.preference is not None, len(each.widths), max(each.widths)) for each in documents]
    return np.array(shapes, dtype=np.int32).reshape(-1, 3)


def shapes_of(documents: Sequence[Row]) -> Shapes:
    """Whether each document is a pair, its windows, and tokens of the longest of them  # [D, 3]"""
    return documents.shapes if isinstance(documents, Rows) else _measured(documents)


@dataclass(frozen=True)
class Batch:
    """Right-padded windows; those of a document stand side by side, so that its tokens are one axis of T places.

    A target at [b, t] is the id that position t of document b has to predict.
    """

    members: tuple[int, ...]  # indices of the documents
    ids: Tensor  # [B, T], T = windows · width
    lengths: Tensor  # [B] tokens of each document
    is_token: Tensor  # [B, T] bool: a token, not padding
    is_target: Tensor  # [B, T] bool: position t predicts id t + 1, and that id is learned
    width: int  # places of one window
    preferences: tuple[Preference, ...] = ()  # of each document, where they are pairs
    times: tuple[int, ...] = ()  # that training saw each document; () for once

    @property
    def rows(self) -> Tensor:
        """The ids as the model reads them, a window each  # [B · windows, width]"""
        return self.ids.view(-1, self.width)

    @property
    def n_windows(self) -> int:
        """Windows of each document, the empty ones at its end among them."""
        return self.ids.shape[1] // self.width

    def joined(self, of_rows: Tensor) -> Tensor:
        """What the model made of `rows`, by document again  # [.., B · windows, width, n] -> [.., B, T, n]"""
        return of_rows.reshape(*of_rows.shape[:-3], *self.ids.shape, of_rows.shape[-1])

    def by_row(self, of_documents: Tensor) -> Tensor:
        """The other way round  # [.., B, T, n] -> [.., B · windows, width, n]"""
        return of_documents.reshape(*of_documents.shape[:-3], -1, self.width, of_documents.shape[-1])

    @cached_property
    def targets(self) -> Tensor:
        """Places of the positions that have a target, in row order, among all B · T  # [n]"""
        return self.is_target.flatten().nonzero()[:, 0]

    @property
    def labels(self) -> Tensor:
        """The id after every position that has a target, in row order  # [n]"""
        return self.ids.roll(-1, dims=1)[self.is_target]

    def weights(self, generator: torch.Generator | None = None) -> Tensor | None:
        """What the token loss of every target counts in the loss of its document, in row order; None for 1.

        As often as the document was seen, and of a pair ±w (see `preference`); with a generator, once, and of a
        preference that is drawn for it: of what is drawn, a document that was seen twice is two  # [n] float64
        """
        times = self.times if generator is None else ()
        if not self.preferences:
            return None if not times else self._of_targets(times)
        drawn = [True] * len(self.preferences)
        if generator is not None:
            uniform = torch.rand(len(drawn), generator=generator, device=self.ids.device, dtype=torch.float64).tolist()
            drawn = [u < of.probability for u, of in zip(uniform, self.preferences, strict=True)]
        w = [of.weight(y) for of, y in zip(self.preferences, drawn, strict=True)]
        chosen = self._of_targets([a * n for a, n in zip(w, times or [1] * len(w), strict=True)])
        place = self.is_target.nonzero(as_tuple=True)[1]
        return torch.where(place < self.width, chosen, -chosen)

    def _of_targets(self, numbers: Sequence[float]) -> Tensor:
        """A number of every document, at its targets  # [n] float64"""
        return torch.tensor(numbers, dtype=torch.float64, device=self.ids.device)[self.is_target.nonzero()[:, 0]]


def pad(documents: Sequence[Row], members: Sequence[int], device: torch.device | str = "cpu") -> Batch:
    """One batch of the named documents, all of them pairs or none. Padding is id 0, which nothing reads: attention is
    causal."""
    some = [documents[i] for i in members]
    preferences = tuple(each.preference for each in some if each.preference is not None)
    if preferences and len(preferences) != len(some):
        raise BadInput(f"expected pairs alone in a batch, found {len(some) - len(preferences)} other documents")
    n_windows = max(len(each.widths) for each in some)
    width = max(max(each.widths) for each in some)
    ids = torch.zeros(len(some), n_windows, width, dtype=torch.long)
    is_token = torch.zeros(len(some), n_windows, width, dtype=torch.bool)
    is_target = torch.zeros(len(some), n_windows, width, dtype=torch.bool)
    for b, each in enumerate(some):
        own, learned, start = torch.tensor(each.ids), torch.from_numpy(each.targets()), 0
        for w, length in enumerate(each.widths):
            stop = start + length
            ids[b, w, :length] = own[start:stop]
            is_token[b, w, :length] = True
            is_target[b, w, : length - 1] = learned[start + 1 : stop]
            start = stop
    flat = (of.flatten(1).to(device) for of in (ids, is_token, is_target))
    lengths = torch.tensor([len(each) for each in some]).to(device)
    of_ids, of_token, of_target = flat
    times = tuple(each.times for each in some)
    times = times if max(times) > 1 else ()
    return Batch(tuple(members), of_ids, lengths, of_token, of_target, width, preferences, times)


def plan_batches(documents: Sequence[Row], tokens: int = TOKENS, most: int = MOST) -> list[list[int]]:
    """Indices of each batch: pairs apart, by number and length of windows, at most `tokens` padded tokens and `most`
    documents, one at least."""
    shapes = shapes_of(documents)
    batches: list[list[int]] = []
    for i in np.lexsort(shapes.T[::-1]).tolist():
        *_, n_windows, width = shapes[i].tolist()
        last = batches[-1] if batches else []
        full = not last or len(last) == most or bool((shapes[last[-1], :2] != shapes[i, :2]).any())
        if full or (len(last) + 1) * n_windows * width > tokens:
            batches.append([i])
        else:
            last.append(i)
    return batches


def batches(
    documents: Sequence[Row],
    context: int,
    device: torch.device,
    tokens: int = TOKENS,
    most: int = MOST,
    in_order: bool = False,
) -> Iterator[Batch]:
    """Every document once; raises BadInput for one that is empty or has a window longer than the context.

    in_order: those of a batch as they are given, not by length.
    """
    widest = shapes_of(documents)[:, 2]
    for i in np.flatnonzero((widest < 1) | (widest > context))[:1].tolist():
        raise BadInput(f"expected 1 to {context} tokens in document {i}, found {widest[i]}; cut it into windows first")
    for members in plan_batches(documents, tokens, most):
        yield pad(documents, sorted(members) if in_order else members, device)
