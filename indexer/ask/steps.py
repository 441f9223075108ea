"""What is computed for one new prompt, in the order in which it is shown; every step adds to the result so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attribution.errors import TryAgain
from attribution.exact.directions import Directions, join_directions
from attribution.exact.query import continuation_directions, query_directions
from attribution.loading.load import LoadedModel
from attribution.prompt.explain import PromptShare
from indexer.ask.estimated import Estimated, first_estimates
from indexer.ask.opened import Opened
from indexer.corpus.prompt import Prompt
from indexer.size.answers import Answer, answer
from indexer.size.foil import Foil, foil_of, in_words, instead
from indexer.size.rendered import rendered
from indexer.size.terms import Term
from indexer.tracing.candidates import Candidates, lexical, with_index
from indexer.tracing.explain import Explained, explain
from indexer.tracing.heat import Heat, heat
from indexer.tracing.prompt_share import of_span, settings_of, share_of
from indexer.tracing.traced import Traced

QUICK = ("grad_x_input",)
THOROUGH = (*QUICK, "integrated_gradients")
THOROUGH_WORK = 1e10  # parameters x tokens read x tokens explained, up to which integrated gradients take seconds


@dataclass
class Asked:
    """What is known so far; None where a step has not been reached, or is not part of the build."""

    answer: Answer
    share: PromptShare | None = None
    estimated: Estimated | None = None
    found: Candidates | None = None
    exact: Explained | None = None
    heat: Heat | None = None


Report = Callable[[str, float, Asked], None]
PLAIN = (
    "plain text is gone on with, without the model's chat template; to ask as in a chat write "
    '{"messages": [{"role": "user", "content": "…"}]}'
)


def ask(
    opened: Opened,
    prompt: Prompt,
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
    methods: Sequence[str] = (),
) -> Asked:
    """Answer a prompt and explain every token of the answer.

    A prompt that names a foil asks for log p(token) − log p(foil) instead of log p(token), in influence and saliency,
    or for that of a span as a whole: see `Foil`. methods: of saliency; none leaves it to the size of the work. Raises
    BadInput for a prompt that does not fit, for a span that the answer does not hold and for an unknown method,
    TryAgain when cancelled.
    """
    member = opened.member
    settings = member.config.prompts

    def reached(stage: str, fraction: float, asked: Asked) -> None:
        if cancelled is not None and cancelled():
            raise TryAgain("the question was cancelled")
        if report is not None:
            report(stage, fraction, asked)

    prompt = rendered(prompt, member.loaded, settings)
    asked = Asked(answer(member.loaded, prompt, settings.max_new_tokens))
    if prompt.kind == "completion" and member.loaded.tokenizer.chat_template:
        asked.answer = replace(asked.answer, notices=(*asked.answer.notices, PLAIN))
    foil = foil_of(asked.answer, member.loaded)
    if foil is not None:
        asked.answer = replace(asked.answer, notices=(*asked.answer.notices, in_words(asked.answer, foil)))
    traced = opened.traced
    if traced is not None:
        reached("gradients of the answer", 0.15, asked)
        estimates = _estimates(traced, asked.answer, foil)
        asked.estimated = first_estimates(estimates, member.config.scores.documents)
        reached("candidates for exact scores", 0.3, asked)  # the text index takes as long as the estimates
        [textual] = lexical(member, [asked.answer], opened.text)
        found = with_index(textual, member, asked.answer, traced.index, estimates)
        reached("exact scores", 0.35, asked)
        _trace(traced, asked, found, foil, reached)
    reached("which words of the prompt mattered", 0.7, asked)
    chosen = tuple(methods) or _methods(member.loaded, asked.answer)
    wanted = replace(settings_of(settings), methods=chosen, foil_id=None if foil is None else foil.token)
    asked.share = share_of(
        member.loaded, asked.answer, wanted, lambda step: reached(STEPS.get(step, STEPS[""]), 0.7, asked)
    )
    if foil is not None:
        salient = of_span(member.loaded, asked.answer, foil, wanted, asked.share.saliency)
        asked.share = replace(asked.share, saliency=salient)
    if traced is not None and asked.exact is not None:
        reached("which words of the documents mattered", 0.9, asked)
        asked.heat = heat(traced.fitted, asked.exact)
    reached("done", 1.0, asked)
    return asked


STEPS = {
    "bits": "what came from memory",
    "mirage": "which tokens depend on the documents",
    "ablations": "the answer without some of the documents",
    "faithfulness": "how far the attributions can be trusted",
    "": "which words of the prompt mattered",
}


def _methods(loaded: LoadedModel, of: Answer) -> tuple[str, ...]:
    work = loaded.n_params * len(of.ids) * of.n_targets
    return THOROUGH if work <= THOROUGH_WORK else QUICK


def _trace(traced: Traced, asked: Asked, found: Candidates, foil: Foil | None, reached: Report) -> None:
    """The training documents behind every token, exactly."""
    directions = _directions(traced, asked.answer, foil)
    n_found, n_done = len(found.documents), 0

    def tick(n: int) -> None:
        nonlocal n_done
        n_done += n
        reached("exact scores", 0.35 + 0.35 * n_done / n_found, asked)

    asked.exact = explain(traced.fitted, traced.norms, [asked.answer], [found], directions, tick)
    asked.found = found


def _estimates(traced: Traced, of: Answer, foil: Foil | None) -> NDArray[np.float32]:
    """What the index estimates for every generated token  # [K, D] nats

    An estimate is linear in the query, so that of a span against a foil is a difference of sums.
    """
    if foil is None or foil.span is None:
        return traced.estimates(of, None if foil is None else foil.token)
    found = traced.estimates(of)
    span = slice(foil.span.start, foil.span.stop)
    found[span] = found[span].sum(axis=0) - traced.estimates(instead(of, foil)).sum(axis=0)
    return found


def _directions(traced: Traced, of: Answer, foil: Foil | None) -> list[Directions]:
    """For each term of the score, a query for every generated token."""
    terms = traced.fitted.terms
    if foil is None:
        return [term.directions([of]) for term in terms]
    if foil.span is not None:
        return [_of_span(term, of, foil, foil.span) for term in terms]
    foils = list(foil.ids) * of.n_targets
    return [
        query_directions(term.asked, term.preconditioner, of.ids, of.first, measurement="contrast", foils=foils)
        for term in terms
    ]


def _of_span(term: Term, of: Answer, foil: Foil, span: range) -> Directions:
    """The tokens of the span have one query: the span against the foil."""
    by_token = term.directions([of])
    one = continuation_directions(
        term.asked, term.preconditioner, of.ids, of.first + span.start, foil.ids, last=of.first + span.stop
    )
    parts = (by_token.of(slice(0, span.start)), one.of([0] * len(span)), by_token.of(slice(span.stop, None)))
    return join_directions([each for each in parts if each.n])
