"""What an answer owes to the documents of its prompt, from stored rows and without a model: for readers.

MIRAGE's thresholds and citations, and the sentences that they belong to, are those of `attribution.prompt`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.prompt.context.citations import PRESETS, Citation, CitationSettings, cite_cues, kept_cues, sensitive
from attribution.prompt.context.contextcite import Ablations, fit, leave_one_out, shapley_values
from attribution.prompt.context.method_names import SHAPLEY
from attribution.prompt.context.nested import HALF, SINGLE
from attribution.prompt.text.sentences import (
    DocumentSentence,
    document_sentences,
    sentence_spans,
    token_sentences,
)

__all__ = [
    "PRESETS",
    "Citation",
    "CitationSettings",
    "DocumentSentence",
    "cite_cues",
    "document_sentences",
    "kept_cues",
    "sensitive",
    "sentence_scores",
    "sentence_spans",
    "span_scores",
    "stored_ablations",
    "token_sentences",
]


def stored_ablations(rows: Sequence[Mapping[str, Any]]) -> dict[str, Ablations]:
    """design -> masks and log-odds, from rows of one generation in the order of their numbers."""
    designs = dict.fromkeys(row["design"] for row in rows)
    return {
        design: Ablations(
            np.array([row["present"] for row in rows if row["design"] == design], dtype=np.bool_),
            np.array([row["log_odds"] for row in rows if row["design"] == design], dtype=np.float64),
        )
        for design in designs
    }


def span_scores(stored: Mapping[str, Ablations], span: Sequence[int] | None = None) -> dict[str, NDArray[np.float64]]:
    """method -> scores [N] of the documents for answer positions `span` (None: all), nats.

    contextcite: weights of the sparse line, of log-odds; leave_one_out and shapley_documents: of log p. A method whose
    design was not measured is left out.
    """
    scores = {}
    if "half" in stored:
        scores["contextcite"] = fit(stored["half"], span).weights
    if "single" in stored:
        scores["leave_one_out"] = leave_one_out(stored["single"], span)
    if "all" in stored:
        scores[SHAPLEY] = shapley_values(stored["all"], span)
    return scores


def sentence_scores(
    stored: Mapping[str, Ablations], span: Sequence[int] | None = None
) -> dict[str, NDArray[np.float64]]:
    """method -> scores [S] of the documents' sentences (`document_sentences`), in the units of `span_scores`.

    {} where they were not left out: no document has several, or the database is of an earlier Whence.
    """
    scores = {}
    if HALF in stored:
        scores["contextcite"] = fit(stored[HALF], span).weights
    if SINGLE in stored:
        scores["leave_one_out"] = leave_one_out(stored[SINGLE], span)
    return scores
