"""Documents as padded batches: rows of similar length share a batch, and lengths travel along instead of a pad id."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from attribution.errors import BadInput

TOKENS = 1024  # padded tokens of a batch: large enough for dense products, small enough for the cache
MOST = 128  # documents of a batch


@dataclass(frozen=True)
class Row:
    """Token ids of one training text. Those before `first_target` are read but not learned (a question, the bos)."""

    ids: tuple[int, ...]
    first_target: int = 1

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Batch:
    """Right-padded rows. A target at [b, t] is the id that position t of row b has to predict."""

    members: tuple[int, ...]  # indices of the documents
    ids: Tensor  # [B, T]
    lengths: Tensor  # [B]
    is_target: Tensor  # [B, T] bool: position t predicts id t + 1, and that id is learned

    @property
    def is_token(self) -> Tensor:
        """Whether a place holds a token, not padding  # bool [B, T]"""
        return torch.arange(self.ids.shape[1], device=self.ids.device) < self.lengths[:, None]

    @cached_property
    def targets(self) -> Tensor:
        """Places of the positions that have a target, in row order, among all B · T  # [n]"""
        return self.is_target.flatten().nonzero()[:, 0]

    @property
    def labels(self) -> Tensor:
        """The id after every position that has a target, in row order  # [n]"""
        return self.ids.roll(-1, dims=1)[self.is_target]


def pad(documents: Sequence[Row], members: Sequence[int], device: torch.device | str = "cpu") -> Batch:
    """One batch of the named documents. Padding is id 0, which nothing reads: attention is causal."""
    rows = [documents[i] for i in members]
    longest = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    for b, row in enumerate(rows):
        ids[b, : len(row)] = torch.tensor(row.ids)
    lengths = torch.tensor([len(row) for row in rows])
    first = torch.tensor([max(row.first_target, 1) for row in rows])
    position = torch.arange(longest)
    is_target = (position + 1 >= first[:, None]) & (position + 1 < lengths[:, None])  # [B, T]
    return Batch(tuple(members), ids.to(device), lengths.to(device), is_target.to(device))


def plan_batches(documents: Sequence[Row], tokens: int = TOKENS, most: int = MOST) -> list[list[int]]:
    """Indices of each batch: by length, at most `tokens` padded tokens and `most` documents, never less than one."""
    batches: list[list[int]] = []
    for i in sorted(range(len(documents)), key=lambda i: (len(documents[i]), i)):
        full = not batches or len(batches[-1]) == most or (len(batches[-1]) + 1) * len(documents[i]) > tokens
        batches.append([i]) if full else batches[-1].append(i)
    return batches


def batches(
    documents: Sequence[Row], context: int, device: torch.device, tokens: int = TOKENS, most: int = MOST
) -> Iterator[Batch]:
    """Every document once; raises BadInput for one that is empty or longer than the context."""
    for i, document in enumerate(documents):
        if not 1 <= len(document) <= context:
            raise BadInput(f"expected 1 to {context} tokens in document {i}, found {len(document)}; cut it first")
    for members in plan_batches(documents, tokens, most):
        yield pad(documents, members, device)
