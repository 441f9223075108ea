"""What texts that were not trained on would do for one answer, and what an edit of a training document would."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput, TryAgain
from attribution.query.directions import Directions
from indexer.ask.opened import Opened
from indexer.ask.steps import asked_directions
from indexer.corpus.document import Document
from indexer.size.answers import Answer
from indexer.size.foil import foil_of
from indexer.size.terms import Term
from indexer.tracing.chunks import Chunk, chunks
from indexer.tracing.spans import Span, spans
from indexer.tracing.traced import Traced
from indexer.whatif.read import Untrained, as_read, named
from indexer.whatif.scores import Split, split, totals

SPLIT = 10  # texts that are split by layer and position: those of largest influence, whichever way

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Instead:
    """A document as it was trained on, in whose place a text might have stood."""

    text: Untrained
    split: Split


@dataclass(frozen=True)
class WhatIf:
    """D texts against the K tokens of an answer."""

    answer: Answer
    stage: int  # of training that would read the texts; −1 is the last
    texts: list[Untrained]
    known: list[bool]  # whether that stage was trained on this very text
    values: NDArray[np.float32]  # [K, D] nats
    splits: dict[int, Split]  # of those that are split
    instead: Instead | None
    notices: tuple[str, ...]

    @property
    def spans(self) -> tuple[Span, ...]:
        """Words in order, the whole answer last."""
        return spans(self.answer.generation.text, self.answer.generation.spans)


def what_if(
    opened: Opened,
    answer: Answer,
    documents: Sequence[Document],
    instead_of: str | None = None,
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> WhatIf:
    """Influence of texts on every token of an answer, if the last stage of training had seen each once more; or, with
    `instead_of`, of one text and of the document that it would replace, in the stage that read that.

    A foil of the prompt is asked about as `ask` does. Raises BadInput where the build computes no influence, for
    what `as_read` refuses, for a document that was not trained on, and for several texts in place of one; TryAgain when
    cancelled.
    """
    traced = opened.traced
    if traced is None:
        raise BadInput("expected influence, found a build without any; name a method in [scores] and build again")
    if not documents:
        raise BadInput("expected a text at least, found none; give one")
    check_instead(documents, instead_of)
    place = None if instead_of is None else _place(traced, instead_of)
    stage = _stage(traced, place)
    term, member = traced.fitted.terms[stage], traced.fitted.stages[stage].member
    texts = as_read(member, documents)
    rows = traced.fitted.member.rows
    notices = _notices(texts, member.loaded.context)
    old = None
    if place is not None:
        old = Untrained(traced.fitted.member.documents[place], traced.fitted.member.read[place], rows[place])
        times = old.row.times
        texts = [replace(each, row=replace(each.row, times=times)) for each in texts]
        if times > 1:
            notices.append(f"{instead_of} stands {times} times in the files: all of its copies are replaced")
        if texts[0].document.document_id == instead_of:
            notices.append("the text is the document's own: nothing would change")
    known = _known(traced, term, texts)

    def reached(fraction: float) -> None:
        if cancelled is not None and cancelled():
            raise TryAgain("the question was cancelled")
        if report is not None:
            report("exact scores", fraction)

    reached(0.3)
    values, splits = _scores(traced, term, answer, [*texts, *([old] if old else [])], reached)
    n = len(texts)
    return WhatIf(
        answer,
        stage,
        texts,
        known,
        values[:, :n],
        {i: of for i, of in splits.items() if i < n},
        None if old is None else Instead(old, splits[n]),
        (*answer.prompt.notices, *answer.notices, *notices),
    )


def check_instead(documents: Sequence[Document], instead_of: str | None) -> None:
    """Raises BadInput for several texts in place of one document."""
    if instead_of is not None and len(documents) != 1:
        raise BadInput(f"expected one text in place of {instead_of}, found {len(documents)}; give one")


def _scores(
    traced: Traced, term: Term, answer: Answer, texts: Sequence[Untrained], reached: Callable[[float], None]
) -> tuple[NDArray[np.float32], dict[int, Split]]:
    """[K, D] nats, and the splits of the texts of largest influence; some tokens of the answer at a time."""
    rows = [each.row for each in texts]
    of = chunks([term], [answer], traced.fitted.member.config.output.folder)
    foil = foil_of(answer, traced.fitted.member.loaded)

    def directions(chunk: Chunk) -> Directions:
        tokens = ([range(k, k + 1) for k in positions] for _, positions in chunk.stretches)
        return chunk.held(asked_directions(foil, term, answer, each) for each in tokens)

    largest = list(range(len(rows)))
    values = np.zeros((answer.n_targets, len(rows)), dtype=np.float32)
    if len(rows) > SPLIT:
        n_done = 0

        def tick(n: int) -> None:
            nonlocal n_done
            n_done += n
            reached(0.3 + 0.5 * n_done / (len(of) * len(rows)))

        values = np.concatenate([totals(term, directions(chunk), rows, tick) for chunk in of])
        weight = np.nan_to_num(np.abs(values).sum(axis=0))
        largest = sorted(np.argsort(-weight, kind="stable")[:SPLIT].tolist())
    parts = []
    for n, chunk in enumerate(of):
        reached(0.8 + 0.2 * n / len(of))
        parts.append(split(term, directions(chunk), [rows[i] for i in largest]))
    splits = {}
    for place, i in enumerate(largest):
        splits[i] = Split(
            np.concatenate([part[place].layers for part in parts]),
            np.concatenate([part[place].shares for part in parts]),
        )
        values[:, i] = splits[i].layers.sum(axis=1)
    return values, splits


def _place(traced: Traced, document_id: str) -> int:
    found = traced.fitted.member.places([document_id]) if len(document_id) == 16 else {}
    if document_id not in found:
        raise BadInput(
            f"expected the document_id of a training document to replace, found {document_id!r}; see the Corpus screen"
        )
    return found[document_id]


def _stage(traced: Traced, place: int | None) -> int:
    """The stage of training that read a document; the last one without any."""
    terms = traced.fitted.terms
    if place is None:
        return len(terms) - 1
    return next(s for s, term in enumerate(terms) if place in term.documents)


def _known(traced: Traced, term: Term, texts: Sequence[Untrained]) -> list[bool]:
    numbers = traced.fitted.member.numbers[term.documents.start : term.documents.stop]
    return [bool((numbers == int(each.document.document_id, 16)).any()) for each in texts]


def _notices(texts: Sequence[Untrained], context: int) -> list[str]:
    """A sentence for each text that training would have cut."""
    return [
        f"{named(each.document)!r}: the last {each.read.n_cut:,} tokens do not fit, and are cut as training would"
        for each in texts
        if each.read.n_cut
    ]
