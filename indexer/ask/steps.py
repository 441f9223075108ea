"""What is computed for one new prompt, in the order in which it is shown; every step adds to the result so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from attribution.components.units import Units
from attribution.errors import BadInput, TryAgain
from attribution.loading.load import LoadedModel
from attribution.prompt.explain import PromptShare
from attribution.query.directions import Directions, join_directions
from attribution.query.solve import continuation_directions, query_directions
from indexer.ask.estimated import Estimated, first_estimates
from indexer.ask.opened import Opened
from indexer.ask.surprise import Beginnings, beginnings, surprise
from indexer.corpus.prompt import Prompt
from indexer.groups.scores import GroupScores
from indexer.groups.stage import Sampled, of_explained
from indexer.inside.answered import Inside, inside
from indexer.size.answers import Answer, answer
from indexer.size.foil import Foil, foil_of, in_words, instead
from indexer.size.member import Member
from indexer.size.rendered import rendered
from indexer.size.terms import Term
from indexer.solved.whole import Solving, whole_of
from indexer.tracing.candidates import Candidates, with_index
from indexer.tracing.chunks import chunks
from indexer.tracing.explain import Explained, as_written, explain, together
from indexer.tracing.heat import Heat, heat_of
from indexer.tracing.lexical import lexical
from indexer.tracing.prompt_share import of_span, settings_of, share_of
from indexer.tracing.spans import Span, spans, summed
from indexer.tracing.traced import Traced
from indexer.verbatim.found import Copied

QUICK = ("grad_x_input",)
THOROUGH = (*QUICK, "integrated_gradients")
THOROUGH_WORK = 1e10  # parameters x tokens read x tokens explained, up to which integrated gradients take seconds


@dataclass
class Asked:
    """What is known so far; None where a step has not been reached, or is not part of the build."""

    answer: Answer
    share: PromptShare | None = None
    spans: tuple[Span, ...] = ()  # targets beside the tokens
    estimated: Estimated | None = None
    estimated_spans: Estimated | None = None
    found: Candidates | None = None
    exact: Explained | None = None
    chunks: list[Explained] = field(default_factory=list)  # that `exact` is of
    heat: Heat | None = None
    inside: Inside | None = None
    groups: GroupScores | None = None
    copied: list[Copied] | None = None
    solving: Solving | None = None  # None: each block by itself
    surprise: tuple[float | None, ...] = ()  # of each token of the prompt, nats
    beginnings: Beginnings | None = None  # of documents, what that is held against
    left: tuple[str, ...] = ()  # what is still to be computed, in words

    def computed(self, what: str) -> None:
        self.left = tuple(each for each in self.left if each != what)


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
    methods: Sequence[str] | None = None,
    exact: bool = False,
) -> Asked:
    """Answer a prompt and explain every token of the answer, its words and the whole.

    A prompt that names a foil asks for log p(token) − log p(foil) instead of log p(token), in influence and saliency,
    or for that of a span as a whole: see `Foil`. methods: of saliency, () for no map; None leaves it to the size of the
    work. exact: queries are solved as `ekfac_cg` does. Raises BadInput for a prompt that does not fit, for a span that
    the answer does not hold, for an unknown method, and for what cannot be solved so, TryAgain when cancelled.
    """
    member = opened.member
    settings = member.config.prompts

    def reached(stage: str, fraction: float, asked: Asked) -> None:
        if cancelled is not None and cancelled():
            raise TryAgain("the question was cancelled")
        if report is not None:
            report(stage, fraction, asked)

    prompt = rendered(prompt, member.loaded, settings)
    solving = _solving(opened) if exact else None
    asked = Asked(answer(member.loaded, prompt, settings.max_new_tokens), solving=solving)
    asked.surprise = surprise(member.loaded, asked.answer.generation.prompt.ids)
    asked.left = _steps(opened)
    reached("what stands in training texts", 0.12, asked)
    asked.beginnings = beginnings(member, len(asked.answer.generation.prompt.ids) - 1)
    if prompt.kind == "completion" and member.loaded.tokenizer.chat_template:
        asked.answer = replace(asked.answer, notices=(*asked.answer.notices, PLAIN))
    foil = foil_of(asked.answer, member.loaded)
    if foil is not None:
        asked.answer = replace(asked.answer, notices=(*asked.answer.notices, in_words(asked.answer, foil)))
    if opened.words is not None:
        asked.copied = opened.words.of(asked.answer.generation.ids)
    traced, units = opened.traced, None if opened.within is None else opened.within.split.whole
    first = bool(prompt.docs)  # what an answer from documents is asked for
    if first:
        _prompt_share(member, asked, foil, methods, partial(reached, fraction=0.13))
    if traced is not None:
        reached("gradients of the answer", 0.15, asked)
        estimates = _estimates(traced, asked.answer, foil)
        asked.estimated = first_estimates(estimates, member.config.scores.documents)
        if member.config.scores.words:
            asked.spans = spans(asked.answer.generation.text, asked.answer.generation.spans)
        of_spans = summed(estimates, asked.spans, asked_once(foil)) if asked.spans else None
        if of_spans is not None:
            asked.estimated_spans = first_estimates(of_spans, member.config.scores.documents)
        reached("candidates for exact scores", 0.3, asked)  # the text index takes as long as the estimates
        [textual] = lexical(member, [asked.answer], opened.text)
        found = with_index(textual, member, asked.answer, traced.index, estimates, asked.spans, of_spans)
        reached("exact scores", 0.35, asked)
        sampled = None if opened.groups is None else Sampled(opened.groups, traced)
        if sampled is not None:
            sampled.add(asked.answer, estimates)
        _trace(traced, asked, found, foil, units, sampled, reached)
        if opened.words is not None and asked.exact is not None:  # with a place in each document that is shown
            ranked = [*asked.exact.kept.ranked, *asked.exact.spans.ranked]
            shown = np.unique(np.concatenate([each.documents for each in ranked]))
            asked.copied = opened.words.of(asked.answer.generation.ids, shown)
        asked.computed(DOCUMENTS)
    if not first:
        _prompt_share(member, asked, foil, methods, partial(reached, fraction=0.7))
    if traced is not None and asked.exact is not None:
        reached(WORDS, 0.9, asked)
        asked.heat = heat_of(traced.fitted, asked.chunks, units, member.config.inside.neurons)
        asked.computed(WORDS)
    if opened.within is not None:
        reached(WITHIN, 0.95, asked)
        asked.inside = inside(opened.within, asked.answer, lambda: reached(WITHIN, 0.95, asked))
    asked.left = ()
    reached("done", 1.0, asked)
    return asked


DOCUMENTS = "the exact scores of training documents"
PROMPT = "what the prompt did"
WORDS = "which words of the documents mattered"
WITHIN = "what heads and neurons did"
STEPS = {
    "bits": "what came from memory",
    "mirage": "which tokens depend on the documents",
    "ablations": "the answer without some of the documents",
    "faithfulness": "how far the attributions can be trusted",
    "": "which words of the prompt mattered",
}


def _steps(opened: Opened) -> tuple[str, ...]:
    """What is computed of an answer, in words and in order; PROMPT always."""
    traced, within = opened.traced is not None, opened.within is not None
    parts = {DOCUMENTS: traced, PROMPT: True, WORDS: traced, WITHIN: within}
    return tuple(name for name, there in parts.items() if there)


def _prompt_share(
    member: Member,
    asked: Asked,
    foil: Foil | None,
    methods: Sequence[str] | None,
    reached: Callable[..., None],
) -> None:
    """Bits, citations and the maps that are asked for, against a foil where there is one."""
    chosen = _methods(member.loaded, asked.answer) if methods is None else tuple(methods)
    wanted = settings_of(member.config.prompts, chosen)
    wanted = replace(wanted, foil_id=None if foil is None else foil.token)
    made = share_of(member.loaded, asked.answer, wanted, lambda step: reached(STEPS.get(step, STEPS[""]), asked=asked))
    if foil is not None:
        made = replace(made, saliency=of_span(member.loaded, asked.answer, foil, wanted, made.saliency))
    asked.share = made
    asked.computed(PROMPT)


def _methods(loaded: LoadedModel, of: Answer) -> tuple[str, ...]:
    work = loaded.n_params * len(of.ids) * of.n_targets
    return THOROUGH if work <= THOROUGH_WORK else QUICK


def _solving(opened: Opened) -> Solving:
    """Raises BadInput before anything is written, where no query can be solved so."""
    if opened.traced is None:
        raise BadInput("expected a build with influence to solve for, found none; name 'ekfac' in [scores] method")
    return Solving(whole_of(opened.traced.fitted))


def _trace(
    traced: Traced,
    asked: Asked,
    found: Candidates,
    foil: Foil | None,
    units: Units | None,
    sampled: Sampled | None,
    reached: Report,
) -> None:
    """The training documents behind every token and span, exactly; and whole groups of them, while directions are held.

    sampled: of the groups of the build; None where it has none
    """
    folder, solving = traced.fitted.member.config.output.folder, asked.solving
    terms = traced.fitted.terms if solving is None else [solving.whole.held]
    of = chunks(terms, [asked.answer], folder, [found.queries])
    n_found, n_done = len(found.documents) * len(of), 0

    def tick(n: int) -> None:
        nonlocal n_done
        n_done += n
        reached("exact scores", 0.35 + 0.35 * min(1.0, n_done / n_found), asked)

    parts, by_group = [], []
    for chunk in of:
        ask_foil = partial(asked_directions, foil)
        of_solving = ask_foil if asked.solving is None else partial(asked.solving.ask, ask_foil)
        made = explain(
            traced.fitted, traced.norms, [asked.answer], [found], chunk, ask=of_solving, units=units, tick=tick
        )
        if sampled is not None and made.kept.places:
            by_group.append(of_explained(made, sampled))
        parts.append(made if len(of) == 1 else made.released())
        del made  # its directions, before those of the next chunk
    asked.chunks, asked.exact, asked.found = parts, together(parts), found
    asked.groups = reduce(GroupScores.plus, by_group) if by_group else None


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


def asked_once(foil: Foil | None) -> range:
    """Tokens that are asked for as one."""
    return range(0) if foil is None or foil.span is None else foil.span


def asked_directions(foil: Foil | None, term: Term, of: Answer, stretches: Sequence[range]) -> Directions:
    """A query for each of some tokens and spans; the tokens of a span against a foil have one together."""
    if foil is None:
        return as_written(term, of, stretches)
    if foil.span is None:
        foils = list(foil.ids) * of.n_targets
        return query_directions(
            term.asked,
            term.preconditioner,
            of.ids,
            of.first,
            measurement="contrast",
            foils=foils,
            spans=stretches,
            negligible=term.negligible,
        )
    made, contrasts, span = [], dict[tuple[range, ...], Directions](), foil.span
    for against, some in groupby(stretches, key=lambda each: any(k in span for k in each)):
        if not against:
            made.append(as_written(term, of, list(some)))
            continue
        for each in some:
            around = _around(each, span)
            if around not in contrasts:
                contrasts[around] = _contrast(foil, term, of, around)
            made.append(contrasts[around])
    return join_directions(made)


def _around(tokens: range, span: range) -> tuple[range, ...]:
    """Of some tokens the stretches before and behind a span that they meet."""
    return tuple(each for each in (range(tokens.start, span.start), range(span.stop, tokens.stop)) if each)


def _contrast(foil: Foil, term: Term, of: Answer, around: Sequence[range]) -> Directions:
    """log p(span) − log p(foil), each as a whole, and log p of other tokens."""
    assert foil.span is not None  # noqa: S101 - one token against each is contrasted by itself
    first, last = (of.first + k for k in (foil.span.start, foil.span.stop))
    also = [range(of.first + each.start, of.first + each.stop) for each in around]
    return continuation_directions(
        term.asked, term.preconditioner, of.ids, first, foil.ids, last=last, also=also, negligible=term.negligible
    )
