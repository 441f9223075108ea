"""Which documents are worth an exact score: several sources propose, and `via` says which did.

index         of largest estimated influence on the token, at either end
index_cosine  the same after division by the length of the document's whitened gradient
hidden        of most similar hidden states
bm25          shares rare words with prompt and answer (Whoosh); for all tokens of the answer
random        the same documents for every query: the null distribution that a score is compared with

Spans of an answer are compared with each other, so what is proposed for one of them is scored for all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.passes.hidden import query_hidden_states
from indexer.journal.stages import key
from indexer.size.answers import Answer
from indexer.size.index import Index
from indexer.size.member import Member
from indexer.tracing.spans import ANSWER, Span, together

N_RANDOM = 100
OF_WORD = 4  # a word is given so many times fewer documents than the answer as a whole
ALL_WORDS = 2  # and all of them together at most so many times as many, but one each: a long answer has hundreds

Columns = dict[str, list[object]]


@dataclass(frozen=True)
class Proposal:
    """Documents that one source proposes for a generation, best first. `values` in the source's own unit."""

    via: str
    documents: NDArray[np.int64]  # [n] indices into the corpus
    values: NDArray[np.float32]  # [n]
    position: int | None = None  # the generated token that it is for; None: all of them
    span: int | None = None  # the span that it is for; of the generated tokens none


@dataclass(frozen=True)
class Candidates:
    """All proposals for one generation."""

    generation_id: str
    proposals: tuple[Proposal, ...]
    spans: tuple[Span, ...] = ()  # that are targets beside the tokens

    @property
    def queries(self) -> list[range]:
        """Generated tokens that are asked for together, beside each by itself."""
        return together(self.spans)

    @property
    def documents(self) -> NDArray[np.int64]:
        """Every proposed document once, in corpus order."""
        return np.unique(np.concatenate([proposal.documents for proposal in self.proposals]))

    def documents_of(self, position: int) -> NDArray[np.int64]:
        """Those proposed for one generated token, once each."""
        return np.unique(np.concatenate([each.documents for each in self._of(position)]))

    @property
    def documents_of_spans(self) -> NDArray[np.int64]:
        """Those that every span is scored on: what is proposed for the whole answer, or for any span of it."""
        return np.unique(np.concatenate([each.documents for each in self.proposals if each.position is None]))

    def _of(self, position: int) -> list[Proposal]:
        return [each for each in self.proposals if each.position in (None, position) and each.span is None]

    @property
    def random(self) -> NDArray[np.int64]:
        """The null sample."""
        return next(each.documents for each in self.proposals if each.via == "random")

    def via(self, position: int) -> dict[int, set[str]]:
        """Document -> the sources that propose it for one generated token."""
        return _via(self._of(position))

    @property
    def via_of_spans(self) -> dict[int, set[str]]:
        """The same for the spans, which share their documents."""
        return _via([each for each in self.proposals if each.position is None])

    @property
    def of_answer(self) -> "Candidates":
        """What is proposed for the whole answer or any span of it, now for each of its tokens alike."""
        every = [replace(each, span=None) for each in self.proposals if each.position is None]
        return Candidates(self.generation_id, tuple(every), self.spans)

    @property
    def of_tokens(self) -> "Candidates":
        """Without its spans and what is proposed for them."""
        return Candidates(self.generation_id, tuple(each for each in self.proposals if each.span is None))

    @property
    def digest(self) -> str:
        """Hash of what is proposed for what."""
        return key(proposals=[[each.via, each.position, each.documents.tolist()] for each in self.proposals])


def _via(proposals: Sequence[Proposal]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for each in proposals:
        for document in each.documents.tolist():
            found.setdefault(document, set()).add(each.via)
    return found


def with_index(
    found: Candidates,
    member: Member,
    answer: Answer,
    index: Index,
    estimates: NDArray[np.float32],
    spans: Sequence[Span] = (),
    of_spans: NDArray[np.float32] | None = None,
) -> Candidates:
    """The same and what the gradient index proposes for each generated token, and for each span.

    estimates: [K, D] nats, NaN for a document that is not to be proposed   of_spans: [S, D] the same
    """
    similar = index.similar(query_hidden_states(member.tracked, answer.ids, answer.first))
    similar[np.isnan(estimates)] = np.nan
    most = member.config.index.candidates
    made = [*_by_token(estimates, index.cosines(estimates), similar, most)]
    if of_spans is not None:
        made += _by_span(of_spans, index.cosines(of_spans), spans, most)
    return Candidates(found.generation_id, (*found.proposals, *made), tuple(spans))


def _by_token(
    estimates: NDArray[np.float32], cosines: NDArray[np.float32], similar: NDArray[np.float32], most: int
) -> Iterator[Proposal]:
    """[K, D] each. Half as many at the negative end and by cosine, a quarter by hidden states."""
    for position, (raw, cosine, hidden) in enumerate(zip(estimates, cosines, similar, strict=True)):
        for via, documents, values in (
            ("index", _ends(raw, most, most // 2), raw),
            ("index_cosine", best(cosine, most // 2), cosine),
            ("hidden", best(hidden, most // 4), hidden),
        ):
            yield Proposal(via, documents, values[documents].astype(np.float32), position)


def _by_span(
    estimates: NDArray[np.float32], cosines: NDArray[np.float32], spans: Sequence[Span], most: int
) -> Iterator[Proposal]:
    """[S, D] each. Of the whole answer as many as of a token, but none by hidden states, which are a token's."""
    n_words = sum(of.kind != ANSWER for of in spans)
    few = max(1, min(most // OF_WORD, ALL_WORDS * most // max(1, n_words)))
    for number, (span, raw, cosine) in enumerate(zip(spans, estimates, cosines, strict=True)):
        n = most if span.kind == ANSWER else few
        for via, documents, values in (
            ("index", _ends(raw, n, n // 2), raw),
            ("index_cosine", best(cosine, n // 2), cosine),
        ):
            yield Proposal(via, documents, values[documents].astype(np.float32), span=number)


def _ends(values: NDArray[np.float32], most: int, least: int) -> NDArray[np.int64]:
    """Places of the `most` largest values, then of the `least` smallest, each once."""
    ends = np.concatenate([best(values, most), best(-values, least)])
    return np.array(list(dict.fromkeys(ends.tolist())), dtype=np.int64)


def best(values: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Places of the `most` largest values, largest first; ties by place, NaN never.    values: [D]"""
    unknown = np.isnan(values)
    most = min(most, len(values) - int(unknown.sum()))
    if most == 0:
        return np.zeros(0, dtype=np.int64)
    last = torch.from_numpy(np.where(unknown, -np.inf, values)).topk(most, sorted=False).values.min().item()
    chosen = np.flatnonzero(values >= last)  # with whatever ties with the last one
    return chosen[np.lexsort((chosen, -values[chosen]))][:most]


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


def candidate_rows(found: Sequence[Candidates], ids: Sequence[str]) -> Columns:
    """Columns of `candidate`: for tokens, and for all of them at once.    ids: of the documents, in corpus order"""
    return _proposed(found, ids, "position", lambda each: each.span is None)


def span_candidate_rows(found: Sequence[Candidates], ids: Sequence[str]) -> Columns:
    """Columns of `span_candidate`; what the text and chance propose for the whole answer stands in `candidate`."""
    return _proposed(found, ids, "span", lambda each: each.span is not None)


def _proposed(
    found: Sequence[Candidates], ids: Sequence[str], target: str, wanted: Callable[[Proposal], bool]
) -> Columns:
    """target: the field of a proposal that says what it is for"""
    rows = [
        (each.generation_id, getattr(proposal, target), ids[document], proposal.via, rank, float(value))
        for each in found
        for proposal in filter(wanted, each.proposals)
        for rank, (document, value) in enumerate(zip(proposal.documents, proposal.values, strict=True), start=1)
    ]
    return _columns(("generation_id", target, "document_id", "via", "rank", "value"), rows)


def span_rows(found: Sequence[Candidates]) -> Columns:
    """Columns of `span`."""
    rows = [
        (each.generation_id, number, of.kind, of.first, of.last, of.start, of.stop)
        for each in found
        for number, of in enumerate(each.spans)
    ]
    return _columns(("generation_id", "span", "kind", "first", "last", "start", "stop"), rows)


def _columns(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Columns:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
