"""EDGE: what the text proposes for every answer; a build that goes on, or has nothing to do, does not search again."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.journal.part import Partition
from indexer.journal.stages import NotFinished, finished, key, stage
from indexer.search.text_index import TextIndex
from indexer.size.answers import Answer
from indexer.size.member import Member
from indexer.tracing.candidates import Candidates, Proposal, random_documents

FOUND = "hits.json"  # of every answer the ids of documents, best first, and their scores
Hits = tuple[Sequence[str], Sequence[float]]


def lexical(member: Member, answers: Sequence[Answer], text: TextIndex) -> list[Candidates]:
    """What the text proposes for every answer, in order, and the null sample."""
    return _candidates(member, answers, [_hits(text, each, member.config.scores.candidates) for each in answers])


def kept_lexical(folder: Path, member: Member, answers: Sequence[Answer], text: TextIndex) -> list[Candidates]:
    """The same, kept with the build, of the text index that its journal lists. A build from before they were kept, to
    which nothing may be added, is searched."""
    most, index = member.config.scores.candidates, [part.key for part in finished(folder, "text")]

    def compute(part: Partition) -> None:
        (part.folder / FOUND).write_text(json.dumps([_hits(text, each, most) for each in answers]))

    made_of = key(index=index, sought=[_sought(each) for each in answers], most=most)
    try:
        [part] = stage(folder, f"lexical-{member.entry.name}", made_of, ["all"], compute)
    except NotFinished:
        return lexical(member, answers, text)
    return _candidates(member, answers, json.loads((part.folder / FOUND).read_text()))


def _sought(answer: Answer) -> str:
    return f"{answer.prompt.text} {answer.generation.text}"


def _hits(text: TextIndex, answer: Answer, most: int) -> Hits:
    hits = text.search(_sought(answer), most)
    return [hit.document_id for hit in hits], [hit.score for hit in hits]


def _candidates(member: Member, answers: Sequence[Answer], found: Sequence[Hits]) -> list[Candidates]:
    null = random_documents(member)
    return [
        Candidates(each.generation_id, (_proposal(member, *of), null)) for each, of in zip(answers, found, strict=True)
    ]


def _proposal(member: Member, document_ids: Sequence[str], scores: Sequence[float]) -> Proposal:
    """Of the documents that the size has learned."""
    index_of = member.places(document_ids)
    known = [(index_of[each], score) for each, score in zip(document_ids, scores, strict=True) if each in index_of]
    documents = np.array([index for index, _ in known], dtype=np.int64)
    return Proposal("bm25", documents, np.array([value for _, value in known], dtype=np.float32))
