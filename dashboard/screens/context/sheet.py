"""The sheet of Context: one row per sentence of the answer, document (or sentence of one) and method."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.export.sheet import Sheet
from dashboard.screens.context.citing import Citation
from dashboard.screens.context.evidence import Reading
from dashboard.screens.context.sentences import sentences


def context_sheet(
    reading: Reading, live: Sequence[Citation], owed: Mapping[str, Sequence[Citation]], selection: Selection
) -> Sheet:
    """`live`: citations of the sliders (shares of cues), under the method mirage; `owed`: the others' (nats)."""
    return Sheet(
        name=f"whence-context-{reading.generation.generation_id}",
        title="Citations of an answer from documents",
        table=partial(_table, reading, {"mirage": live} | dict(owed)),
        address=address(selection),
        about={
            "model": reading.generation.model.name,
            "prompt": reading.generation.prompt,
            "answer": reading.generation.text,
            "deviations": selection.deviations,
            "cues": selection.cues,
            "preset": selection.preset,
            "sensitive_tokens": reading.sensitive(selection.deviations, selection.preset),
        },
    )


def _text(reading: Reading, number: int) -> str:
    """Of a document of the prompt."""
    part = next((each for each in reading.documents if each.part == number), None)
    return reading.words(part) if part else ""


def _table(reading: Reading, by_method: Mapping[str, Sequence[Citation]]) -> pd.DataFrame:
    """document_sentence: the sentence of the document that the score is of; "" for the whole document."""
    texts = sentences(reading.generation.text)
    whole = [("", method, each) for method, found in by_method.items() for each in found]
    rows = [
        {
            "sentence": each.sentence,
            "text": texts[each.sentence] if 0 <= each.sentence < len(texts) else "",
            "document": reading.names.get(each.part, ""),
            "part": each.part,
            "document_sentence": inside,
            "method": method,
            "score": each.share,
            "document_text": _text(reading, each.part),
            "prompt": reading.generation.prompt,
            "answer": reading.generation.text,
            "model": reading.generation.model.name,
        }
        for inside, method, each in [*whole, *_inside(reading)]
    ]
    about = ["document_text", "prompt", "answer", "model"]
    columns = ["sentence", "text", "document", "part", "document_sentence", "method", "score", *about]
    return pd.DataFrame(rows, columns=columns)


def _inside(reading: Reading) -> Iterator[tuple[str, str, Citation]]:
    """What every sentence of the answer owes to every sentence of the documents, in nats."""
    prompt = reading.generation.prompt
    for number in sorted(set(reading.sentence.values())):
        for method, scores in reading.owed_to_sentences(reading.positions_of(number)).items():
            for each, score in zip(reading.document_sentences, scores.tolist(), strict=True):
                yield prompt[each.start : each.stop].strip(), method, Citation(number, each.part, score)
