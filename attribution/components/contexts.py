"""Where in a corpus components are most active: of each the documents in which it is, each document once.

A neuron's value is its activation, of which the largest magnitude counts: with a gate its sign is one of convention, as
the neuron's row of up and its column of down may both be turned. A head's is the length of what it writes into the
stream, ‖o_h z_h‖ (a norm behind attention is left aside). What is 0 everywhere has no context.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

NOBODY = 2**62  # number of no document: behind all others


@dataclass(frozen=True)
class Contexts:
    """Of n components: the largest first, equal ones by document; where there are fewer, 0 in document −1."""

    values: Tensor  # [n, most] with their sign
    documents: Tensor  # [n, most] number of the document
    positions: Tensor  # [n, most] of the token among those of the document; the first of equal ones

    def plus(self, other: "Contexts") -> "Contexts":
        """Of two parts of a corpus, whichever comes first."""
        joined = [torch.cat(each, dim=1) for each in zip(_parts(self), _parts(other), strict=True)]
        return _first(*joined, most=self.values.shape[1])

    def with_batch(self, x: Tensor, documents: Tensor, places: Tensor) -> "Contexts":
        """And of a batch of documents that were not seen before.

        x: [B, T, n], 0 where there is no token   documents: [B]   places: [B, T] of each token in its document
        """
        largest = torch.maximum(x.amax(dim=1), -x.amin(dim=1))  # [B, n]
        least, last = self.values[:, -1].abs(), self.documents[:, -1]
        earlier = (last < 0) | (documents[:, None] < last)
        b, j = ((largest > least) | ((largest == least) & earlier & (largest > 0))).nonzero(as_tuple=True)
        if not len(b):
            return self
        order = j.argsort(stable=True)
        b, j = b[order], j[order]
        t = x[b, :, j].abs_().argmax(dim=1)  # [P] the first of equal ones
        touched, of, counts = j.unique_consecutive(return_inverse=True, return_counts=True)
        column = torch.arange(len(j), device=j.device) - (counts.cumsum(0) - counts)[of]
        shape, where = (len(touched), int(counts.max())), (of, column)
        more = []
        for found, nothing in ((x[b, t, j], 0), (documents[b], -1), (places[b, t], 0)):
            more.append(found.new_full(shape, nothing).index_put_(where, found))
        kept = [each[touched] for each in _parts(self)]
        joined = [torch.cat(each, dim=1) for each in zip(kept, more, strict=True)]
        made = _first(*joined, most=self.values.shape[1])
        return Contexts(*(old.index_copy(0, touched, new) for old, new in zip(_parts(self), _parts(made), strict=True)))


def no_contexts(n: int, most: int, like: Tensor) -> Contexts:
    """Of n components in no document."""
    documents = torch.full((n, most), -1, dtype=torch.long, device=like.device)
    return Contexts(like.new_zeros(n, most), documents, torch.zeros_like(documents))


def _parts(of: Contexts) -> tuple[Tensor, Tensor, Tensor]:
    return of.values, of.documents, of.positions


def _first(values: Tensor, documents: Tensor, positions: Tensor, *, most: int) -> Contexts:
    """[n, c] each -> [n, most]"""
    by_document = torch.where(documents < 0, NOBODY, documents).argsort(dim=1)
    by_size = values.gather(1, by_document).abs().argsort(dim=1, descending=True, stable=True)
    first = by_document.gather(1, by_size[:, :most])
    return Contexts(*(each.gather(1, first) for each in (values, documents, positions)))
