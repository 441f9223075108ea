"""What is computed for one new prompt, in the order in which it is shown; every step adds to the result so far."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.directions import Directions
from attribution.errors import TryAgain
from attribution.measurement import foil_token
from attribution.prompt.bits import PromptBits
from attribution.query import query_directions
from indexer.ask.opened import Opened
from indexer.build.answers import Answer, answer
from indexer.build.candidates import Candidates, candidates
from indexer.build.explain import Explained, explain
from indexer.build.heat import Heat, heat
from indexer.build.prompt_share import bits_of, saliency_of
from indexer.corpus.prompt import Prompt

SALIENCY = ("grad_x_input", "integrated_gradients")


@dataclass
class Asked:
    """What is known so far; None where a step has not been reached."""

    answer: Answer
    saliency: dict[str, NDArray[np.float32]] | None = None  # method -> [K, S]
    bits: PromptBits | None = None
    found: Candidates | None = None
    exact: Explained | None = None
    heat: Heat | None = None


Report = Callable[[str, float, Asked], None]


def ask(
    opened: Opened,
    prompt: Prompt,
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
    foil: str | None = None,
) -> Asked:
    """Answer a prompt and explain every token of the answer.

    foil: explain log p(token) − log p(foil) instead of log p(token). Raises BadInput for a prompt that does not fit
    and for a foil that is not one token, TryAgain when cancelled.
    """
    fitted = opened.fitted
    member = fitted.member
    foil_id = None if foil is None else foil_token(foil, member.loaded.tokenizer)

    def reached(stage: str, fraction: float, asked: Asked) -> None:
        if cancelled is not None and cancelled():
            raise TryAgain("the question was cancelled")
        if report is not None:
            report(stage, fraction, asked)

    asked = Asked(answer(member.loaded, prompt, member.config.prompts.max_new_tokens))
    reached("which words of the prompt mattered", 0.15, asked)
    asked.saliency = saliency_of(member.loaded, asked.answer, SALIENCY, foil_id)
    asked.bits = bits_of(member.loaded, asked.answer)
    reached("gradients of the answer", 0.3, asked)
    directions = _directions(opened, asked.answer, foil_id)
    reached("looking for documents", 0.45, asked)
    [asked.found] = candidates(member, [asked.answer], opened.text)
    reached("exact scores", 0.5, asked)
    n_found, n_done = len(asked.found.documents), 0

    def tick(n: int) -> None:
        nonlocal n_done
        n_done += n
        reached("exact scores", 0.5 + 0.4 * n_done / n_found, asked)

    asked.exact = explain(fitted, opened.norms, [asked.answer], [asked.found], directions, tick)
    reached("which words of the documents mattered", 0.9, asked)
    asked.heat = heat(fitted, asked.exact)
    reached("done", 1.0, asked)
    return asked


def _directions(opened: Opened, of: Answer, foil_id: int | None) -> list[Directions]:
    """For each term of the score, a query for every generated token."""
    if foil_id is None:
        return [term.directions([of]) for term in opened.fitted.terms]
    foils = [foil_id] * of.n_targets
    return [
        query_directions(term.asked, term.preconditioner, of.ids, of.first, measurement="contrast", foils=foils)
        for term in opened.fitted.terms
    ]
