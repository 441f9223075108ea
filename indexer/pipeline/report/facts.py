"""EDGE: are the documents that state an answer found? The figure of the summary, read from the shards of the scores.

Asked are the prompts that the model answers rightly and whose fact any document states; found is the best rank of such
a document for the whole answer. Where whole answers are no targets: of a fact that stands in exactly one document, its
rank for the first token that tells the fact. For a fine-tuned model the documents of fine-tuning count, and those of
its parent where none of them states the fact.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from indexer.corpus.verdict import is_right
from indexer.journal.stages import Finished
from indexer.size.answers import Answer
from indexer.tracing.spans import ANSWER

TOP = 3
NEVER = sys.maxsize  # the rank of what is not kept


@dataclass(frozen=True)
class Facts:
    """Ranks of the document that states the fact; None where it was not among the kept ones. whole: for the whole
    answer, not for a token."""

    n_right: int
    n_prompts: int
    ranks: tuple[int | None, ...]
    whole: bool = False

    @property
    def n_found(self) -> int:
        """Ranks up to TOP; of whole answers those that are first."""
        top = 1 if self.whole else TOP
        return sum(rank is not None and rank <= top for rank in self.ranks)

    @property
    def share_found(self) -> float:
        """The same as a share; 0 where no prompt qualifies."""
        return self.n_found / max(1, len(self.ranks))


def facts(answers: Sequence[Answer], scored: Sequence[Finished]) -> Facts:
    """Ranks, read from the `span_influence` shards of a size, or from `influence` without such."""
    right = [each for each in answers if is_right(each.prompt.answer, each.generation.text, each.prompt.kind)]
    n_prompts = sum(bool(each.prompt.answer) for each in answers)
    if whole := _ranks_of_answers(scored):
        stated = [(each.generation_id, each.stating) for each in right if each.stating]
        best = (min(whole.get((name, document), NEVER) for document in of) for name, of in stated)
        return Facts(len(right), n_prompts, tuple(None if rank == NEVER else rank for rank in best), whole=True)
    asked = [each for each in right if len(each.stating) == 1]
    ranks = _ranks(scored)
    found = [ranks.get((each.generation_id, telling_token(each), each.stating[0])) for each in asked]
    return Facts(len(right), n_prompts, tuple(found))


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


def _ranks_of_answers(scored: Sequence[Finished]) -> dict[tuple[str, str], int]:
    """(generation_id, document_id) -> rank for the whole answer; {} where whole answers are no targets."""
    ranks = {}
    for part in scored:
        if not (part.folder / "span_influence.parquet").exists():
            continue
        spans = pq.read_table(part.folder / "span.parquet", columns=["generation_id", "span", "kind"]).to_pylist()
        whole = {(row["generation_id"], row["span"]) for row in spans if row["kind"] == ANSWER}
        columns = ["generation_id", "span", "document_id", "rank"]
        for row in pq.read_table(part.folder / "span_influence.parquet", columns=columns).to_pylist():
            if (row["generation_id"], row["span"]) in whole:
                ranks[row["generation_id"], row["document_id"]] = row["rank"]
    return ranks
