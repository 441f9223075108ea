"""Whether a model takes a prompt for language: how surprised it is, beside how its training documents begin. Pure.

surprise     mean over the tokens that were said of −log₂ p(token given those before it), bits
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboard.drawing.numbers import plain

MOST = 0.9  # of the documents


@dataclass(frozen=True)
class Surprise:
    """Bits a token: of the prompt, of as many of its first tokens as are compared, and of those of each document,
    ascending; () where unknown."""

    prompt: float
    begins: float
    documents: tuple[float, ...]
    comparable: bool = True  # False: nobody taught the model to foretell such a prompt


def surprise_of(nats: Sequence[float], beginnings: Mapping[str, Any], formed: bool = False) -> Surprise | None:
    """nats: of the prompt's tokens; beginnings: of documents, as the worker tells them, {} where it does not. None
    where nothing of the prompt is known.

    formed: the prompt is a chat, or a question over documents: documents do not begin with its template, so it is held
    against none. A model that was taught answers, and not what comes before them, has learned nothing of what it says.
    """
    known = [each / math.log(2) for each in nats if math.isfinite(each)]
    if not known:
        return None
    n = int(beginnings.get("n", 0))
    documents = () if formed else tuple(float(each) / math.log(2) for each in beginnings.get("nats", ()))
    begins = float(np.mean(known[:n])) if n else math.nan
    return Surprise(float(np.mean(known)), begins, documents, not (formed and beginnings.get("partly", False)))


def in_words(found: Surprise, model: str) -> str:
    """One sentence or two: the numbers, and where the prompt stands among the documents."""
    said = f"Your words surprise {model} by {plain(found.prompt, 2)} bits a token"
    if not found.comparable:
        return f"{said}. It was taught answers and not to foretell what is asked, so that says nothing of its language."
    if not found.documents:
        return f"{said}."
    said += f", the beginnings of documents that it was trained on by {plain(float(np.mean(found.documents)), 2)}"
    n = len(found.documents)
    if found.begins > found.documents[-1]:
        return f"{said}: more than any of {n:,} of them. This is no language that it learned; read its answer so."
    below = float(np.mean(np.array(found.documents) < found.begins))
    if below > MOST:
        return f"{said}: more than {math.floor(100 * below)} % of them, so they are unlike most that it learned."
    return f"{said}: they read like what it learned."
