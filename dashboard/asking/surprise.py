"""Whether a model takes a prompt for language: how surprised it is, beside its own training documents. Pure.

surprise     mean over the tokens that were said of −log₂ p(token given those before it), bits
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.database.records import DocumentLoss
from dashboard.drawing.numbers import plain

MOST = 0.9  # of the documents


@dataclass(frozen=True)
class Surprise:
    """Bits a token: of the prompt, of the documents together, and of each of them, ascending; NaN, () where unknown."""

    prompt: float
    corpus: float
    documents: tuple[float, ...]
    comparable: bool = True  # False: nobody taught the model to foretell such a prompt


def surprise_of(nats: Sequence[float], losses: Sequence[DocumentLoss], formed: bool = False) -> Surprise | None:
    """nats: of the prompt's tokens; losses: of documents, of which those count that were learned whole. None where
    nothing of the prompt is known.

    formed: the prompt is a chat, or a question over documents. A model that was taught answers, and not what comes
    before them, has learned nothing of what such a prompt says.
    """
    known = [each for each in nats if math.isfinite(each)]
    if not known:
        return None
    if formed and not all(each.whole for each in losses):
        return Surprise(float(np.mean(known)) / math.log(2), math.nan, (), comparable=False)
    whole = [(each.nats, each.n_tokens) for each in losses if each.whole]
    bits = np.array(whole, dtype=np.float64).reshape(-1, 2) / [math.log(2), 1.0]
    corpus = float(bits[:, 0].sum() / bits[:, 1].sum()) if len(bits) else math.nan
    return Surprise(float(np.mean(known)) / math.log(2), corpus, tuple(sorted((bits[:, 0] / bits[:, 1]).tolist())))


def in_words(found: Surprise, model: str) -> str:
    """One sentence or two: the numbers, and where the prompt stands among the documents."""
    said = f"Your words surprise {model} by {plain(found.prompt, 2)} bits a token"
    if not found.comparable:
        return f"{said}. It was taught answers and not to foretell what is asked, so that says nothing of its language."
    if not found.documents:
        return f"{said}."
    said += f", the documents that it was trained on by {plain(found.corpus, 2)}"
    n = len(found.documents)
    if found.prompt > found.documents[-1]:
        return f"{said}: more than any of {n:,} of them. This is no language that it learned; read its answer so."
    below = float(np.mean(np.array(found.documents) < found.prompt))
    if below > MOST:
        return f"{said}: more than {math.floor(100 * below)} % of them, so they are unlike most that it learned."
    return f"{said}: they read like what it learned."
