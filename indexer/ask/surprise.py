"""How surprised a model is by the words of a prompt: beside the same of how its documents begin it tells language from
nonsense.

s_t = −log p(x_t given x_1 … x_{t−1})        nats; there is none of the first token, which nothing foretells

A prompt is the beginning of a text, and beginnings are what is hardest to foretell: which of all it is that begins. So
it is held against as many first tokens of documents, not against whole ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from attribution.loading.load import LoadedModel
from attribution.model.generate import answer_logp
from attribution.model.measurement import logp
from attribution.passes.batches import Row
from indexer.size.member import Member

LONGEST = 64  # tokens of a prompt, and of each document, that are compared
DOCUMENTS = (24, 100)  # fewest and most
WORK = 3e10  # multiply-adds that it may take: a second of a core
AT_ONCE = 1024  # tokens of a forward pass


@dataclass(frozen=True)
class Beginnings:
    """How surprising documents begin. n: of how many first tokens; nats: their mean, of each document that was learned
    whole, ascending; partly: some were not, as conversations of which the answers are learned."""

    n: int
    nats: tuple[float, ...]
    partly: bool


def surprise(loaded: LoadedModel, ids: tuple[int, ...]) -> tuple[float | None, ...]:
    """One entry for each token of a prompt, in one forward pass."""
    return (*[None] * len(ids[:1]), *(-each for each in answer_logp(loaded, ids[:1], ids[1:])))


def beginnings(member: Member, n: int) -> Beginnings:
    """Of documents of this stage, evenly over the corpus, as beside a prompt of n tokens that something foretells.
    Pairs, whose loss is none of tokens, tell nothing."""
    n = min(n, LONGEST)
    if member.learned_pairs or n < 1:
        return Beginnings(n, (), partly=False)
    fewest, most = DOCUMENTS
    wanted = max(fewest, min(most, int(WORK / member.loaded.n_params / n)))
    step = max(1, member.n_documents // wanted)
    rows = [member.texts.rows[i] for i in range(0, member.n_documents, step)][:wanted]
    whole = [row for row in rows if _is_whole(row)]
    found = mean_surprise(member.loaded, [row.ids[: min(n + 1, row.widths[0])] for row in whole if row.widths[0] > 1])
    return Beginnings(n, tuple(sorted(found)), partly=len(whole) < len(rows))


def mean_surprise(loaded: LoadedModel, rows: Sequence[tuple[int, ...]]) -> list[float]:
    """Of each row, two tokens or more, the mean over all but its first, nats."""
    found: list[float] = []
    width = max(map(len, rows), default=1)
    step = max(1, AT_ONCE // width)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        ids = torch.zeros(len(some), width, dtype=torch.long)  # nothing reads what stands behind a row
        for i, row in enumerate(some):
            ids[i, : len(row)] = torch.tensor(row)
        ids = ids.to(loaded.device)
        with torch.inference_mode():
            logits = loaded.model(input_ids=ids).logits
            found += [
                -float(logp(logits[i, : len(row) - 1].float(), ids[i, 1 : len(row)]).mean())
                for i, row in enumerate(some)
            ]
    return found


def _is_whole(row: Row) -> bool:
    """Whether every token of the first window was learned, but the one that nothing foretells."""
    return bool(row.targets()[1 : row.widths[0]].all())
