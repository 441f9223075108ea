"""EDGE: are the documents that state an answer found? The figure of the summary, read from the shards of the scores.

Asked are the prompts that the model answers rightly and whose fact stands in exactly one document; found is that
document's rank for the first token that tells the fact. For a fine-tuned model the documents of fine-tuning count,
and those of its parent where none of them states the fact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from indexer.corpus.verdict import is_right
from indexer.journal.stages import Finished
from indexer.size.answers import Answer

TOP = 3


@dataclass(frozen=True)
class Facts:
    """Ranks of the one document that states the fact; None where it was not among the kept ones."""

    n_right: int
    n_prompts: int
    ranks: tuple[int | None, ...]

    @property
    def share_found(self) -> float:
        """Share of the ranks up to TOP; 0 where no prompt qualifies."""
        return sum(rank is not None and rank <= TOP for rank in self.ranks) / max(1, len(self.ranks))


def facts(answers: Sequence[Answer], scored: Sequence[Finished]) -> Facts:
    """Ranks, read from the `influence` shards of a size."""
    right = [each for each in answers if is_right(each.prompt.answer, each.generation.text, each.prompt.kind)]
    asked = [each for each in right if len(each.stating) == 1]
    ranks = _ranks(scored)
    found = [ranks.get((each.generation_id, telling_token(each), each.stating[0])) for each in asked]
    return Facts(len(right), sum(bool(each.prompt.answer) for each in answers), tuple(found))


def telling_token(answer: Answer) -> int:
    """Position of the first generated token that writes of the fact (of the answer, where the file names no fact) more
    than white space."""
    text = answer.generation.text
    begin = max(0, text.find(answer.prompt.fact))
    spans = enumerate(answer.generation.spans)
    return next((position for position, (start, stop) in spans if text[max(start, begin) : stop].strip()), 0)


def _ranks(scored: Sequence[Finished]) -> dict[tuple[str, int, str], int]:
    ranks = {}
    for part in scored:
        columns = ["generation_id", "position", "document_id", "rank"]
        for row in pq.read_table(part.folder / "influence.parquet", columns=columns).to_pylist():
            ranks[row["generation_id"], row["position"], row["document_id"]] = row["rank"]
    return ranks
