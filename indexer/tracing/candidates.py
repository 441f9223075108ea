"""Which documents are worth an exact score: several sources propose, and `via` says which did.

index         of largest estimated influence on the token, at either end
index_cosine  the same after division by the length of the document's whitened gradient
hidden        of most similar hidden states
bm25          shares rare words with prompt and answer (Whoosh); for all tokens of the answer
random        the same documents for every query: the null distribution that a score is compared with
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.passes.hidden import query_hidden_states
from indexer.journal.stages import key
from indexer.search.text_index import TextIndex
from indexer.size.answers import Answer
from indexer.size.index import Index
from indexer.size.member import Member

N_RANDOM = 100


@dataclass(frozen=True)
class Proposal:
    """Documents that one source proposes for a generation, best first. `values` in the source's own unit."""

    via: str
    documents: NDArray[np.int64]  # [n] indices into the corpus
    values: NDArray[np.float32]  # [n]
    position: int | None = None  # the generated token that it is for; None: all of them


@dataclass(frozen=True)
class Candidates:
    """All proposals for one generation."""

    generation_id: str
    proposals: tuple[Proposal, ...]

    @property
    def documents(self) -> NDArray[np.int64]:
        """Every proposed document once, in corpus order."""
        return np.unique(np.concatenate([proposal.documents for proposal in self.proposals]))

    def documents_of(self, position: int) -> NDArray[np.int64]:
        """Those proposed for one generated token, once each."""
        return np.unique(np.concatenate([each.documents for each in self._of(position)]))

    def _of(self, position: int) -> list[Proposal]:
        return [each for each in self.proposals if each.position in (None, position)]

    @property
    def random(self) -> NDArray[np.int64]:
        """The null sample."""
        return next(each.documents for each in self.proposals if each.via == "random")

    def via(self, position: int) -> dict[int, set[str]]:
        """Document -> the sources that propose it for one generated token."""
        found: dict[int, set[str]] = {}
        for each in self._of(position):
            for document in each.documents.tolist():
                found.setdefault(document, set()).add(each.via)
        return found

    @property
    def digest(self) -> str:
        """Hash of what is proposed for what."""
        return key(proposals=[[each.via, each.position, each.documents.tolist()] for each in self.proposals])


def lexical(member: Member, answers: Sequence[Answer], text: TextIndex) -> list[Candidates]:
    """What the text proposes for every answer, in order, and the null sample."""
    null = random_documents(member)
    return [Candidates(each.generation_id, (_lexical(each, text, member), null)) for each in answers]


def with_index(
    found: Candidates, member: Member, answer: Answer, index: Index, estimates: NDArray[np.float32]
) -> Candidates:
    """The same and what the gradient index proposes for each generated token.    estimates: [K, D] nats, NaN for a
    document that is not to be proposed."""
    similar = index.similar(query_hidden_states(member.tracked, answer.ids, answer.first))
    similar[np.isnan(estimates)] = np.nan
    made = _by_token(estimates, index.cosines(estimates), similar, member.config.index.candidates)
    return Candidates(found.generation_id, (*found.proposals, *made))


def _by_token(
    estimates: NDArray[np.float32], cosines: NDArray[np.float32], similar: NDArray[np.float32], most: int
) -> Iterator[Proposal]:
    """[K, D] each. Half as many at the negative end and by cosine, a quarter by hidden states."""
    for position, (raw, cosine, hidden) in enumerate(zip(estimates, cosines, similar, strict=True)):
        ends = np.concatenate([best(raw, most), best(-raw, most // 2)])
        for via, documents, values in (
            ("index", np.array(list(dict.fromkeys(ends.tolist())), dtype=np.int64), raw),
            ("index_cosine", best(cosine, most // 2), cosine),
            ("hidden", best(hidden, most // 4), hidden),
        ):
            yield Proposal(via, documents, values[documents].astype(np.float32), position)


def best(values: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Places of the `most` largest values, largest first; ties by place, NaN never.    values: [D]"""
    known = np.flatnonzero(~np.isnan(values))
    most = min(most, len(known))
    if most == 0:
        return known[:0]
    chosen = known[np.argpartition(-values[known], most - 1)[:most]]
    return chosen[np.lexsort((chosen, -values[chosen]))]


def random_documents(member: Member) -> Proposal:
    """The null sample of every training stage: fixed by the hash of its corpus, the same for every size.

    A document that stands in both stages counts as the parent's.
    """
    chosen = _random_of(member)
    return Proposal("random", chosen, np.zeros(len(chosen), dtype=np.float32))


def _random_of(member: Member) -> NDArray[np.int64]:
    """As many of every stage of training, the first one first."""
    own = member.own_documents
    generator = np.random.default_rng(int(member.corpus.hash, 16))
    chosen: NDArray[np.int64] = own.start + np.sort(
        generator.choice(len(own), size=min(N_RANDOM, len(own)), replace=False)
    )
    if member.parent is None:
        return chosen
    known = member.parent.places(member.document_ids[i] for i in chosen)
    new = [i for i in chosen.tolist() if member.document_ids[i] not in known]
    return np.append(_random_of(member.parent), np.array(new, dtype=np.int64))


def _lexical(answer: Answer, text: TextIndex, member: Member) -> Proposal:
    hits = text.search(f"{answer.prompt.text} {answer.generation.text}", member.config.scores.candidates)
    index_of = member.places(hit.document_id for hit in hits)
    known = [(index_of[hit.document_id], hit.score) for hit in hits if hit.document_id in index_of]
    documents = np.array([index for index, _ in known], dtype=np.int64)
    return Proposal("bm25", documents, np.array([value for _, value in known], dtype=np.float32))


def candidate_rows(found: Sequence[Candidates], ids: Sequence[str]) -> dict[str, list[object]]:
    """Columns of the table `candidate`; `ids` are the document ids in corpus order."""
    rows = [
        (each.generation_id, proposal.position, ids[document], proposal.via, rank, float(value))
        for each in found
        for proposal in each.proposals
        for rank, (document, value) in enumerate(zip(proposal.documents, proposal.values, strict=True), start=1)
    ]
    names = ("generation_id", "position", "document_id", "via", "rank", "value")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
