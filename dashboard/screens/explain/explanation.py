"""Everything that the Explain screen says about one answer, asked in one place: no widget, no drawing."""

from collections.abc import Iterable
from dataclasses import dataclass

from attribution.prompt.saliency.method import methods as saliency_records
from dashboard.address.selection import Selection, Span
from dashboard.database.group_records import GroupScore
from dashboard.database.kept.answer import KeptAnswer
from dashboard.database.layer_groups import LayerGroup, group_named, layer_groups
from dashboard.database.queries import documents, influence, prompts
from dashboard.database.queries.rows import Snapshot
from dashboard.database.ranking import Ranked, among_random, rank_documents, strongest_through, take_side
from dashboard.database.records import (
    AsRead,
    Generation,
    Heat,
    Measure,
    PromptPart,
    PromptToken,
    Run,
    StoredDocument,
    Target,
    Token,
)
from dashboard.database.span_records import ANSWER, AnswerSpan, VerbatimSpan
from dashboard.database.unit import Unit, by_token, logp_of, parts_by_token, unit_for
from dashboard.screens.explain.copies import MOST, Copies, copies, meeting, texts_of

SHOWN = 10  # documents on the page

CONTRAST = "_contrast"  # ends the name of a map that explains the token against the prompt's foil


@dataclass(frozen=True)
class Explanation:
    """One generation seen through one run. `span` is what is explained; `whole` tells that nothing was chosen. `exact`:
    the word or the whole answer that it is, as a target of its own; None for a token and for the sum over several."""

    generation: Generation
    siblings: list[Generation]
    run: Run | None
    runs: list[Run]
    tokens: list[Token]
    prompt_tokens: list[PromptToken]
    parts: list[PromptPart]
    target: Target | None  # the single query that is explained; None for a sum
    strengths: dict[int, float]  # as shown, in `token_unit`
    span: Span
    whole: bool
    spans: list[AnswerSpan]  # every word, and the whole answer, that is a target
    exact: AnswerSpan | None
    ranked: list[Ranked]  # every kept document, best first
    shown: list[Ranked]  # those on the page
    documents: dict[str, StoredDocument]
    read: dict[str, AsRead]  # how training read them, where it is known
    proposers: dict[str, set[str]]
    heats: dict[str, Heat]
    groups: list[LayerGroup]
    layer: LayerGroup | None  # the chosen one, by whose part documents are ranked and the answer is shaded
    whole_groups: list[GroupScore]  # sources, topics, …: of all their documents, kept or not
    verbatim: list[VerbatimSpan] | None  # of the whole answer; None where nothing was looked for
    copies: Copies  # of the span
    effects: dict[int, float]  # of the selected document, by token, as shown, in `effect_unit`
    has_contrast: bool
    saliency_methods: list[str]
    saliency_method: str
    saliency: dict[int, float]  # of the span, by source position
    measures: list[Measure]  # how far the answer's attributions agree with what the model does
    unit: Unit = Unit()  # of the documents that are shown
    group_unit: Unit = Unit()  # of `whole_groups`
    token_unit: str = ""
    effect_unit: str = ""
    best_method: str = ""  # of several runs: whose method evaluation found best for influence
    of_groups: Run | None = None  # whose whole groups these are, where that is another run
    estimated: bool = False  # influence from the gradient index, before the exact scores are known

    @property
    def width(self) -> int:
        """Tokens of the span."""
        return self.span[1] - self.span[0] + 1

    def value(self, each: Ranked, normaliser: str) -> float:
        """What a document's card says: its influence, or the part of it through the chosen layers, in the unit of the
        list; a normalised score as it is."""
        return each.value if normaliser != "none" else float(self.unit.parts(each.value, each.score))

    @property
    def n_summed(self) -> int:
        """Targets that a score is the sum of."""
        return 1 if self.exact else self.width

    def is_influential(self, each: Ranked) -> bool:
        """Stronger than every random document; among those shown, where none is known to compare with."""
        against = among_random(each.score, self.target.null_scores) if self.target else ""
        return against.startswith("stronger") if against else each in self.shown


def explain(snapshot: Snapshot, selection: Selection, answer: KeptAnswer, shown: int = SHOWN) -> Explanation:
    """Ask everything about `answer` that `selection` needs. A position that does not exist is replaced by the whole
    answer; the screen tells by comparing with the selection."""
    tokens = answer.tokens()
    last = max(len(tokens) - 1, 0)
    whole = selection.span is None or selection.span[1] > last
    span = (0, last) if whole or selection.span is None else selection.span
    spans = answer.spans()
    exact = target_of(spans, span, whole)
    span = (exact.first, exact.last) if exact else span

    if exact:
        target, scores = answer.span_target(exact), answer.span_scores(exact)
    else:
        target = answer.targets().get(span[0]) if span[0] == span[1] else None
        scores = answer.scores(*span)
    groups = layer_groups(influence.layers(snapshot, answer.generation.model.model_id))
    layer = group_named(groups, selection.layer)
    only = layer.members if layer else ()
    ranked = rank_documents(scores, selection.normaliser, only)
    top = take_side(ranked, selection.tail, shown)
    chosen = [selection.document] if selection.document else []
    ids = list(dict.fromkeys([*(each.document_id for each in top), *chosen]))
    verbatim = answer.verbatim()
    whole_groups = answer.groups(*span)
    targets = answer.targets()
    logp = logp_of(tokens, targets, *span)
    if only:
        every = answer.scores(0, last)
        strengths, token_unit = parts_by_token(answer.calibration, strongest_through(every, only), tokens, targets)
        passing = strongest_through(every, only, selection.document)
        effects, effect_unit = parts_by_token(answer.calibration, passing, tokens, targets)
    else:
        strengths, token_unit = by_token(answer.calibration, answer.strengths(), tokens, targets)
        effects, effect_unit = by_token(answer.calibration, answer.effects(selection.document), tokens, targets)
    met = meeting(verbatim, *span)
    placed = [document_id for each in met[:MOST] for document_id, _ in each.places]
    kept = list(dict.fromkeys([*ids, *placed]))
    stored_documents = documents.documents(snapshot, kept)

    stored = set(answer.saliency_methods())
    methods = by_preference(name for name in stored if not name.endswith(CONTRAST))
    best = prompts.best_saliency(snapshot, answer.generation.model.model_id)
    methods = sorted(methods, key=lambda each: each != best)  # by preference, but the one that was found to hold first
    method = selection.saliency if selection.saliency in methods else next(iter(methods), "")
    has_contrast = f"{method}{CONTRAST}" in stored
    map_name = f"{method}{CONTRAST}" if has_contrast and selection.contrast == "yes" else method
    return Explanation(
        generation=answer.generation,
        siblings=answer.siblings,
        run=answer.run,
        runs=answer.runs,
        best_method=answer.best_method,
        unit=unit_for(answer.calibration, logp, (each.score for each in top or ranked)),
        group_unit=unit_for(answer.group_calibration, logp, (of.score for of in whole_groups if of.column_name)),
        token_unit=token_unit,
        effect_unit=effect_unit,
        tokens=tokens,
        prompt_tokens=answer.prompt_tokens(),
        parts=answer.parts(),
        target=target,
        strengths=strengths,
        span=span,
        whole=whole,
        spans=spans,
        exact=exact,
        ranked=ranked,
        shown=top,
        documents=stored_documents,
        read=documents.as_read(snapshot, answer.generation.model.tokenizer_id, kept),
        proposers=answer.span_proposers(exact) if exact else answer.proposers(*span),
        heats=answer.span_heats(exact, ids) if exact else answer.heats(*span, ids),
        groups=groups,
        layer=layer,
        whole_groups=whole_groups,
        verbatim=verbatim,
        copies=copies(met, tokens, texts_of(stored_documents)),
        effects=effects,
        has_contrast=has_contrast,
        saliency_methods=methods,
        saliency_method=method,
        saliency=answer.saliency(*span, map_name) if method else {},
        measures=answer.measures(),
        of_groups=answer.of_groups if answer.of_groups != answer.run else None,
        estimated=answer.estimated,
    )


def target_of(spans: Iterable[AnswerSpan], span: Span, whole: bool) -> AnswerSpan | None:
    """The word or the answer that the tokens are together; a single token is a target as it is, and None here."""
    if whole:
        return next((each for each in spans if each.kind == ANSWER), None)
    return next((each for each in spans if (each.first, each.last) == span), None) if span[0] < span[1] else None


def by_preference(methods: Iterable[str]) -> list[str]:
    """Saliency methods in the order of their records, unknown ones last."""
    order = {name: i for i, name in enumerate(saliency_records())}
    return sorted(methods, key=lambda name: (order.get(name, len(order)), name))
