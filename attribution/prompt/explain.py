"""Everything about one prompt and its answer, in the order of cost: bits, MIRAGE, saliency, ablations, faithfulness.

The build and the worker call this one function; each part is also there alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from transformers import PreTrainedModel

from attribution.prompt.ablated import ablate
from attribution.prompt.bits import PromptBits, prompt_bits
from attribution.prompt.citations import PRESETS, Citation, best
from attribution.prompt.citations import Settings as CitationSettings
from attribution.prompt.contextcite import (
    N_MASKS,
    Ablations,
    fit,
    half_masks,
    leave_one_out,
    shapley_values,
    single_masks,
    sources,
)
from attribution.prompt.erasure import aopc
from attribution.prompt.faithfulness import prediction, top_drop
from attribution.prompt.mirage import Mirage, mirage
from attribution.prompt.parts import Part
from attribution.prompt.saliency import Saliency, saliency
from attribution.prompt.sentences import token_sentences
from attribution.prompt.shapley import EXACT, subsets


@dataclass(frozen=True)
class Settings:
    """What is computed; saved with the result."""

    methods: tuple[str, ...] = ("grad_norm", "grad_x_input")
    steps: int = 64
    scan: int = 256
    citations: CitationSettings = PRESETS["paper"]
    masks: int = N_MASKS  # ContextCite's; 0 leaves out everything that rests on ablations of documents
    shapley: bool = True  # exact, where there are at most eight documents
    batch: int = 8


@dataclass(frozen=True)
class Asked:
    """A prompt as it was read and the answer as it was written."""

    prompt_ids: Sequence[int]
    of_token: Sequence[int]  # the part of each prompt id, from `token_parts`
    parts: Sequence[Part]
    answer_ids: Sequence[int]
    answer_text: str
    answer_spans: Sequence[tuple[int, int]]

    @property
    def documents(self) -> tuple[int, ...]:
        return tuple(part.part for part in self.parts if part.kind == "document")


@dataclass(frozen=True)
class Faithfulness:
    """One measure of one method; `random` is what chance would give, where there is such a number."""

    method: str
    metric: str  # top_drop, comprehensiveness, sufficiency (nats of the answer's log p), prediction (Spearman)
    value: float
    random: float | None = None


@dataclass(frozen=True)
class PromptShare:
    """The prompt's share in an answer, as the tables hold it."""

    bits: PromptBits  # generation_token
    mirage: Mirage  # saliency, under the methods mirage_norm and mirage_grad_x_input
    saliency: dict[str, Saliency]  # saliency
    citations: dict[str, tuple[Citation, ...]]  # citation: mirage, contextcite, leave_one_out, shapley
    ablations: dict[str, Ablations] = field(default_factory=dict)  # half, single, all: to fit any span later
    faithfulness: tuple[Faithfulness, ...] = ()


def explain(
    model: PreTrainedModel,
    asked: Asked,
    absent_id: int | None,
    settings: Settings | None = None,
    tick: Callable[[str], None] = lambda _step: None,
) -> PromptShare:
    """Run what `settings` ask for; `tick` is told the name of every step before it begins, and may raise to stop it.

    Raises BadInput for an empty answer and for unknown methods.
    """
    settings = settings or Settings()
    given = (asked.prompt_ids, asked.of_token, asked.parts, asked.answer_ids)
    sentences = token_sentences(asked.answer_text, asked.answer_spans)
    tick("bits")
    bits = prompt_bits(model, *given)
    tick("mirage")
    found = mirage(model, *given)
    citations = {"mirage": found.citations(asked.of_token, asked.parts, sentences, settings.citations)}
    maps: dict[str, Saliency] = {}
    measures: list[Faithfulness] = []
    for method in settings.methods:
        tick(method)
        maps[method] = saliency(
            model,
            asked.prompt_ids,
            asked.answer_ids,
            method,
            absent_id=absent_id,
            steps=settings.steps,
            scan=settings.scan,
            groups=sources(asked.of_token, asked.parts, ("system", "question", "document")),
            batch=settings.batch,
        )
        measures += _erasures(model, asked, maps[method], settings.batch)
    ablations: dict[str, Ablations] = {}
    if asked.documents and settings.masks:
        tick("ablations")
        ablations = _ablations(model, asked, settings)
        citations |= _citations(asked, sentences, ablations)
        measures += _predictions(citations, ablations, asked)
    return PromptShare(bits, found, maps, citations, ablations, tuple(measures))


def _ablations(model: PreTrainedModel, asked: Asked, settings: Settings) -> dict[str, Ablations]:
    """All masks in one call, so that what two kinds of them share is measured once."""
    n = len(asked.documents)
    masks = {"half": half_masks(n, settings.masks), "single": single_masks(n)}
    if settings.shapley and n <= EXACT:
        masks["all"] = subsets(n)
    of_source = sources(asked.of_token, asked.parts)
    together = ablate(
        model, asked.prompt_ids, of_source, asked.answer_ids, np.concatenate(list(masks.values())), settings.batch
    )
    odds = np.split(together.odds, np.cumsum([len(rows) for rows in masks.values()])[:-1])
    return {name: Ablations(rows, values) for (name, rows), values in zip(masks.items(), odds, strict=True)}


def _citations(
    asked: Asked, sentences: Sequence[int], ablations: dict[str, Ablations]
) -> dict[str, tuple[Citation, ...]]:
    made: dict[str, tuple[Citation, ...]] = {}
    for number in sorted(set(sentences)):
        span = [k for k, sentence in enumerate(sentences) if sentence == number]
        scores = {
            "contextcite": fit(ablations["half"], span).weights,
            "leave_one_out": leave_one_out(ablations["single"], span),
        }
        if "all" in ablations:
            scores["shapley"] = shapley_values(ablations["all"], span)
        for method, values in scores.items():
            made[method] = made.get(method, ()) + best(number, asked.documents, values)
    return made


def _erasures(model: PreTrainedModel, asked: Asked, found: Saliency, batch: int) -> list[Faithfulness]:
    """Comprehensiveness and sufficiency of the answer's mean saliency over the prompt's own words."""
    kinds = {part.part: part.kind for part in asked.parts}
    removable = [kinds.get(number, "scaffold") != "scaffold" for number in asked.of_token]
    scores = found.scores[:, : len(asked.prompt_ids)].mean(0)
    result = aopc(model, asked.prompt_ids, asked.answer_ids, scores, removable, batch=batch)
    return [
        Faithfulness(found.method, "comprehensiveness", result.comprehensiveness, result.random_comprehensiveness),
        Faithfulness(found.method, "sufficiency", result.sufficiency, result.random_sufficiency),
    ]


def _predictions(
    citations: dict[str, tuple[Citation, ...]], ablations: dict[str, Ablations], asked: Asked
) -> list[Faithfulness]:
    """How well the sparse line predicts, and what the answer loses without the document that each method puts first."""
    measures = [Faithfulness("contextcite", "prediction", prediction(ablations["half"]))]
    for method, cited in citations.items():
        scores = np.zeros(len(asked.documents))
        for citation in cited:
            scores[asked.documents.index(citation.part)] += citation.score
        if scores.any():
            drop = top_drop(scores, ablations["single"])
            measures.append(Faithfulness(method, "top_drop", drop.top, drop.random))
    return measures
