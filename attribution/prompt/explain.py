"""Everything about one prompt and its answer, in the order of cost: bits, MIRAGE, saliency, ablations, faithfulness.

The build and the worker call this one function; each part is also there alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from transformers import PreTrainedModel

from attribution.prompt.asked import Asked
from attribution.prompt.beside import Faithfulness, of_documents, of_tokens
from attribution.prompt.context.ablated import ablate
from attribution.prompt.context.bits import PromptBits, prompt_bits
from attribution.prompt.context.citations import PRESETS, Citation, CitationSettings, best
from attribution.prompt.context.contextcite import (
    N_MASKS,
    Ablations,
    fit,
    half_masks,
    leave_one_out,
    shapley_values,
    single_masks,
    sources,
)
from attribution.prompt.context.method_names import SHAPLEY
from attribution.prompt.context.mirage import Mirage, mirage
from attribution.prompt.context.nested import designs
from attribution.prompt.saliency.saliency import Saliency, saliencies
from attribution.prompt.saliency.shapley import EXACT, subsets
from attribution.prompt.text.sentences import token_sentences

PLAYERS = ("system", "question", "document")  # parts, of the saliency method shapley


@dataclass(frozen=True)
class PromptSettings:
    """What is computed; saved with the result."""

    methods: tuple[str, ...] = ("grad_norm", "grad_x_input")
    steps: int = 64
    scan: int = 256
    layer: int | None = None  # of layer_integrated_gradients; None: the middle block
    foil_id: int | None = None  # saliency then says why each token and not this one
    citations: CitationSettings = PRESETS["shares"]
    masks: int = N_MASKS  # ContextCite's; 0 leaves out everything that rests on ablations of documents
    shapley_documents: bool = True  # exact, where there are at most eight documents
    random: int = 4  # orders that comprehensiveness and sufficiency are compared with; 0 leaves both out
    batch: int = 8


@dataclass(frozen=True)
class PromptShare:
    """The prompt's share in an answer, as the tables hold it."""

    bits: PromptBits  # generation_token
    mirage: Mirage | None  # saliency, under mirage_norm and mirage_grad_x_input; None where no documents were given
    saliency: dict[str, Saliency]  # saliency
    citations: dict[str, tuple[Citation, ...]]  # citation: mirage, contextcite, leave_one_out, shapley_documents
    ablations: dict[str, Ablations] = field(default_factory=dict)  # ablation: half, single, all, and of sentences
    faithfulness: tuple[Faithfulness, ...] = ()  # faithfulness


def explain(
    model: PreTrainedModel,
    asked: Asked,
    absent_id: int | None,
    settings: PromptSettings | None = None,
    tick: Callable[[str], None] = lambda _step: None,
) -> PromptShare:
    """Run what `settings` ask for; `tick` is told the name of every step before it begins, and may raise to stop it.

    Raises BadInput for an empty answer and for unknown methods.
    """
    settings = settings or PromptSettings()
    given = (asked.prompt_ids, asked.of_token, asked.parts, asked.answer_ids)
    sentences = token_sentences(asked.answer_text, asked.answer_spans)
    tick("bits")
    bits = prompt_bits(model, *given)
    found, citations = None, {}
    if asked.documents:
        tick("mirage")
        found = mirage(model, *given)
        citations["mirage"] = found.citations(asked.of_token, asked.parts, sentences, settings.citations)
    maps = saliency_maps(model, asked, absent_id, settings, tick)
    ablations: dict[str, Ablations] = {}
    if asked.documents and settings.masks:
        tick("ablations")
        ablations = _ablations(model, asked, settings)
        citations |= _citations(asked, sentences, ablations)
    tick("faithfulness")
    measures = of_tokens(model, asked, maps, found, settings.random, settings.batch)
    if ablations:
        measures += of_documents(asked, maps, found, citations, ablations)
    return PromptShare(bits, found, maps, citations, ablations, measures)


def saliency_maps(
    model: PreTrainedModel,
    asked: Asked,
    absent_id: int | None,
    settings: PromptSettings,
    tick: Callable[[str], None] = lambda _step: None,
) -> dict[str, Saliency]:
    """The saliency of every answer token by the settings' methods, against their foil where they name one."""
    return saliencies(
        model,
        asked.prompt_ids,
        asked.answer_ids,
        settings.methods,
        foil_ids=None if settings.foil_id is None else [settings.foil_id] * len(asked.answer_ids),
        absent_id=absent_id,
        steps=settings.steps,
        scan=settings.scan,
        layer=settings.layer,
        groups=sources(asked.of_token, asked.parts, PLAYERS),
        batch=settings.batch,
        tick=tick,
    )


def _ablations(model: PreTrainedModel, asked: Asked, settings: PromptSettings) -> dict[str, Ablations]:
    """All masks in one call, so that what two kinds of them share is measured once: of documents and, where they have
    several, of their sentences."""
    n, inside = len(asked.documents), asked.nested
    masks = {"half": half_masks(n, settings.masks), "single": single_masks(n)}
    if settings.shapley_documents and n <= EXACT:
        masks["all"] = subsets(n)
    of_source, left_out = sources(asked.of_token, asked.parts), list(masks.values())
    if inside is not None and inside.several:
        of_sentences = designs(len(inside.document), settings.masks)
        of_source = inside.of_token
        left_out = [inside.with_labels(inside.of_documents(each)) for each in left_out]
        left_out += [inside.with_labels(each) for each in of_sentences.values()]
        masks |= of_sentences
    together = ablate(model, asked.prompt_ids, of_source, asked.answer_ids, np.concatenate(left_out), settings.batch)
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
            scores[SHAPLEY] = shapley_values(ablations["all"], span)
        for method, values in scores.items():
            made[method] = made.get(method, ()) + best(number, asked.documents, values)
    return made
