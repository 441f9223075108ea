"""Which queries meet which documents of some passes, and the tokens of both without padding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.passes.capture import Captured


@dataclass(frozen=True)
class Unpadded:
    """The tokens of some document passes without their padding, one document after the other."""

    passes: Sequence[Captured]
    real: tuple[Tensor, ...]  # of each pass, its places that are tokens  # bool [B, T]
    starts: NDArray[np.int64]  # [D + 1] first token of each document

    def of(self, each: Sequence[Tensor]) -> Tensor:
        """[B, T, n] of every pass -> [N, n]"""
        return torch.cat([x[real] for x, real in zip(each, self.real, strict=True)])

    def of_documents(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the tokens of some documents, in order."""
        starts, stops = self.starts[documents], self.starts[documents + 1]
        return np.concatenate([np.arange(start, stop) for start, stop in zip(starts, stops, strict=True)])


Run = tuple[int, slice, Tensor]  # a query, its rows of the shares, and the tokens that they are of


@dataclass(frozen=True)
class Meeting:
    """The pairs of some passes, those of a query together."""

    queries: NDArray[np.int64]  # [P] ascending
    documents: NDArray[np.int64]  # [P] places in the passes
    starts: NDArray[np.int64]  # [P + 1] first row of each pair
    runs: list[Run]


def tokens_of(passes: Sequence[Captured]) -> Unpadded:
    """Document b of pass n is number b + the documents of the passes before."""
    lengths = [length for captured in passes for length in captured.batch.lengths.tolist()]
    return Unpadded(passes, tuple(captured.batch.is_token for captured in passes), np.cumsum([0, *lengths]))


def meeting(tokens: Unpadded, wanted: NDArray[np.bool_]) -> Meeting:
    """wanted: [Q, D] of the documents of the passes"""
    queries, documents = np.nonzero(wanted)
    starts = np.cumsum([0, *np.diff(tokens.starts)[documents]])
    some, first = np.unique(queries, return_index=True)
    runs = []
    for q, i, j in zip(some.tolist(), first.tolist(), [*first[1:], len(queries)], strict=True):
        rows = torch.as_tensor(tokens.of_documents(documents[i:j]), device=tokens.real[0].device)
        runs.append((q, slice(int(starts[i]), int(starts[j])), rows))
    return Meeting(queries, documents, starts, runs)
