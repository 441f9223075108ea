"""What the worker says of a text that was not trained on, made up: the form of `indexer.whatif.result`."""

from typing import Any

import numpy as np

from indexer.corpus.document import document_id
from tests.synthetic_reading import tokens

ANSWER = [" Paris", ".", " It", " is", " old", "."]
WORDS = [(0, 0), (2, 2), (3, 3), (4, 4)]


def what_if_result(
    text: str, before: str | None = None, model: str = "synth-s", generation_id: str = "", said: list[str] | None = None
) -> dict[str, Any]:
    """Of the answer ANSWER, or of another one without words; scores are drawn from the text."""
    written = said or ANSWER
    stops = np.cumsum([len(each) for each in written]).tolist()
    starts = [stop - len(each) for stop, each in zip(stops, written, strict=True)]
    words = [] if said else WORDS
    given = _text(text, len(written))
    old = None if before is None else _text(before, len(written))
    change = None
    if old is not None:
        change = [a - b for a, b in zip(given["scores"], old["scores"], strict=True)]
    spans = [
        {
            "first": first,
            "last": last,
            "kind": kind,
            "start": starts[first],
            "stop": stops[last],
            "scores": [sum(given["scores"][first : last + 1])],
            "instead_of": None if old is None else sum(old["scores"][first : last + 1]),
            "difference": None if change is None else sum(change[first : last + 1]),
        }
        for kind, first, last in [*(("word", *word) for word in words), ("answer", 0, len(written) - 1)]
    ]
    return {
        "kind": "what_if",
        "model": model,
        "generation_id": generation_id,
        "prompt": "The capital of France is",
        "text": "".join(written),
        "tokens": [
            {"token_id": i, "text": each, "start": start, "stop": stop, "logp": -0.5}
            for i, (each, start, stop) in enumerate(zip(written, starts, stops, strict=True))
        ],
        "stage": model,
        "n_train": 60,
        "texts": [given],
        "instead_of": old,
        "difference": None if change is None else {"scores": change, "layer_scores": [[each] for each in change]},
        "spans": spans,
        "notices": [],
    }


def _text(text: str, n_answer: int) -> dict[str, Any]:
    read = tokens(text) or [(text, 0, len(text))]
    rng = np.random.default_rng(len(text))
    shares = rng.normal(scale=0.02, size=(n_answer, len(read)))
    return {
        "title": "",
        "document_id": document_id(text),
        "known": False,
        "text": text,
        "n_cut": 0,
        "tokens": [
            {"text": word, "start": start, "stop": stop, "read_in": 0, "learned": i > 0}
            for i, (word, start, stop) in enumerate(read)
        ],
        "scores": shares.sum(1).tolist(),
        "layer_scores": shares.sum(1, keepdims=True).tolist(),
        "shares": shares.tolist(),
    }
