"""What is computed for one new prompt, in the order in which it is shown; every step adds to the result so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from attribution.errors import TryAgain
from attribution.exact.directions import Directions
from attribution.exact.query import query_directions
from attribution.model.load import LoadedModel
from attribution.model.measurement import foil_token
from attribution.prompt.explain import PromptShare
from indexer.ask.estimated import Estimated, first_estimates
from indexer.ask.opened import Opened
from indexer.corpus.prompt import Prompt
from indexer.size.answers import Answer, answer
from indexer.size.rendered import rendered
from indexer.size.traced import Traced
from indexer.tracing.candidates import Candidates, lexical, with_index
from indexer.tracing.explain import Explained, explain
from indexer.tracing.heat import Heat, heat
from indexer.tracing.prompt_share import settings_of, share_of

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


def ask(
    opened: Opened,
    prompt: Prompt,
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
    methods: Sequence[str] = (),
) -> Asked:
    """Answer a prompt and explain every token of the answer.

    A prompt that names a foil asks for log p(token) − log p(foil) instead of log p(token), in influence and saliency.
    methods: of saliency; none leaves it to the size of the work. Raises BadInput for a prompt that does not fit, for a
    foil that is not one token and for an unknown method, TryAgain when cancelled.
    """
    member = opened.member
    settings = member.config.prompts

    def reached(stage: str, fraction: float, asked: Asked) -> None:
        if cancelled is not None and cancelled():
            raise TryAgain("the question was cancelled")
        if report is not None:
            report(stage, fraction, asked)

    prompt = rendered(prompt, member.loaded, settings)
    foil = None if prompt.foil is None else foil_token(prompt.foil, member.loaded.tokenizer)
    asked = Asked(answer(member.loaded, prompt, settings.max_new_tokens))
    traced = opened.traced
    if traced is not None:
        reached("gradients of the answer", 0.15, asked)
        estimates = traced.estimates(asked.answer, foil)
        asked.estimated = first_estimates(estimates, member.config.scores.documents)
        reached("candidates for exact scores", 0.3, asked)  # the text index takes as long as the estimates
        [textual] = lexical(member, [asked.answer], opened.text)
        found = with_index(textual, member, asked.answer, traced.index, estimates)
        reached("exact scores", 0.35, asked)
        _trace(traced, asked, found, foil, reached)
    reached("which words of the prompt mattered", 0.7, asked)
    chosen = tuple(methods) or _methods(member.loaded, asked.answer)
    wanted = replace(settings_of(settings), methods=chosen, foil_id=foil)
    asked.share = share_of(
        member.loaded, asked.answer, wanted, lambda step: reached(STEPS.get(step, STEPS[""]), 0.7, asked)
    )
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


def _trace(traced: Traced, asked: Asked, found: Candidates, foil: int | None, reached: Report) -> None:
    """The training documents behind every token, exactly."""
    directions = _directions(traced, asked.answer, foil)
    n_found, n_done = len(found.documents), 0

    def tick(n: int) -> None:
        nonlocal n_done
        n_done += n
        reached("exact scores", 0.35 + 0.35 * n_done / n_found, asked)

    asked.exact = explain(traced.fitted, traced.norms, [asked.answer], [found], directions, tick)
    asked.found = found


def _directions(traced: Traced, of: Answer, foil: int | None) -> list[Directions]:
    """For each term of the score, a query for every generated token."""
    terms = traced.fitted.terms
    if foil is None:
        return [term.directions([of]) for term in terms]
    foils = [foil] * of.n_targets
    return [
        query_directions(term.asked, term.preconditioner, of.ids, of.first, measurement="contrast", foils=foils)
        for term in terms
    ]
