"""EDGE: are the documents that state an answer found? The figure of the summary, read from the shards of the scores.

Asked are the prompts that the model answers rightly and whose fact any document states; found is the best rank of such
a document for the whole answer. Where whole answers are no targets: of a fact that stands in exactly one document, its
rank for the first token that tells the fact. For a fine-tuned model the documents of fine-tuning count, and those of
its parent where none of them states the fact. Whole answers are counted by every estimator that ranks documents for
them: pages open with the one that agrees best with retraining.
"""

import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from indexer.corpus.verdict import folded, is_right
from indexer.journal.stages import Finished
from indexer.size.answers import Answer
from indexer.tracing.spans import ANSWER

TOP = 3
NEVER = sys.maxsize  # the rank of what is not kept
Ranks = tuple[int | None, ...]


@dataclass(frozen=True)
class Facts:
    """Ranks of the document that states the fact; None where it was not among the kept ones. whole: for the whole
    answer, not for a token.   others: of whole answers the same by each other estimator, by its label"""

    n_right: int
    n_prompts: int
    ranks: Ranks
    whole: bool = False
    others: tuple[tuple[str, Ranks], ...] = ()

    def found(self, ranks: Ranks) -> str:
        """How many of the ranks are TOP or better, of whole answers first, and as a share: "3 of 4 (75%)"."""
        top = 1 if self.whole else TOP
        n = sum(rank is not None and rank <= top for rank in ranks)
        return f"{n} of {len(ranks)} ({n / max(1, len(ranks)):.0%})"


def facts(answers: Sequence[Answer], scored: Sequence[Finished], others: Mapping[str, Finished] | None = None) -> Facts:
    """Ranks, read from the `span_influence` shards of a size, or from `influence` without such.

    others: shards of each other estimator, by its label
    """
    right = [each for each in answers if is_right(each.prompt.answer, each.generation.text, each.prompt.kind)]
    n_prompts = sum(bool(each.prompt.answer) for each in answers)
    spans = _whole_answers(scored)
    if whole := _ranks_of_answers(scored, spans):
        stated = [each for each in right if each.stating]
        by = {label: _ranks_of_answers([part], spans) for label, part in (others or {}).items()}
        beside = tuple((label, _best(stated, ranks)) for label, ranks in by.items() if ranks)
        return Facts(len(right), n_prompts, _best(stated, whole), True, beside)
    asked = [each for each in right if len(each.stating) == 1]
    ranks = _ranks(scored)
    found = [ranks.get((each.generation_id, telling_token(each), each.stating[0])) for each in asked]
    return Facts(len(right), n_prompts, tuple(found))


def _best(answers: Sequence[Answer], ranks: Mapping[tuple[str, str], int]) -> Ranks:
    """Of each answer the best rank of a document that states it."""
    best = [min(ranks.get((each.generation_id, document), NEVER) for document in each.stating) for each in answers]
    return tuple(None if rank == NEVER else rank for rank in best)


def telling_token(answer: Answer) -> int:
    """Position of the first generated token that writes of the fact (of the answer, where the file names no fact) more
    than white space."""
    text = answer.generation.text
    begin = max(0, folded(text).find(folded(answer.prompt.fact)))
    spans = enumerate(answer.generation.spans)
    return next((position for position, (start, stop) in spans if text[max(start, begin) : stop].strip()), 0)


def _ranks(scored: Sequence[Finished]) -> dict[tuple[str, int, str], int]:
    ranks = {}
    for part in scored:
        columns = ["generation_id", "position", "document_id", "rank"]
        for row in pq.read_table(part.folder / "influence.parquet", columns=columns).to_pylist():
            ranks[row["generation_id"], row["position"], row["document_id"]] = row["rank"]
    return ranks


def _whole_answers(scored: Sequence[Finished]) -> set[tuple[str, int]]:
    """Spans that are whole answers; none where they are no targets."""
    found = set()
    for part in scored:
        if (part.folder / "span_influence.parquet").exists():
            rows = pq.read_table(part.folder / "span.parquet", columns=["generation_id", "span", "kind"]).to_pylist()
            found |= {(row["generation_id"], row["span"]) for row in rows if row["kind"] == ANSWER}
    return found


def _ranks_of_answers(scored: Sequence[Finished], whole: Container[tuple[str, int]]) -> dict[tuple[str, str], int]:
    """(generation_id, document_id) -> rank for the whole answer."""
    ranks = {}
    for part in scored:
        if (part.folder / "span_influence.parquet").exists():
            columns = ["generation_id", "span", "document_id", "rank"]
            for rows in pq.ParquetFile(part.folder / "span_influence.parquet").iter_batches(columns=columns):
                for row in rows.to_pylist():
                    if (row["generation_id"], row["span"]) in whole:
                        ranks[row["generation_id"], row["document_id"]] = row["rank"]
    return ranks
