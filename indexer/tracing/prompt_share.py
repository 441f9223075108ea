"""EDGE: what the prompt did for every generated token: bits against memory, saliency, citations, their faithfulness."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from attribution.errors import BadInput
from attribution.loading.load import LoadedModel
from attribution.prompt.asked import Asked
from attribution.prompt.context.contextcite import sources
from attribution.prompt.context.nested import Nested, nested
from attribution.prompt.explain import PLAYERS, PromptSettings, PromptShare, explain, saliency_maps
from attribution.prompt.faithful.sanity import sanity, shuffled
from attribution.prompt.saliency.continuations import contrast_continuations
from attribution.prompt.saliency.method import computed
from attribution.prompt.saliency.saliency import Saliency, absent_token
from attribution.prompt.text.sentences import document_sentences
from indexer.config.config import Prompts
from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.answers import Answer
from indexer.size.foil import Foil, held_foil_of, instead
from indexer.size.member import Member
from indexer.tracing.prompt_rows import (
    ablation_columns,
    citation_columns,
    faithfulness_columns,
    joined,
    saliency_columns,
    token_columns,
)

SALIENCY = ("grad_x_input", "grad_norm", "occlusion", "attention")  # where the configuration names none
SANITY_ANSWERS, SANITY_TOKENS = 8, 300  # what the check with shuffled weights is made on


def prompt_shares(folder: Path, member: Member, answers: Sequence[Answer], tick: Callable[[int], None]) -> Finished:
    """Shards of `generation_token`, `saliency`, `citation`, `ablation`, `faithfulness`, and the sanity check's rows of
    `evaluation`; `tick(1)` after every answer."""
    settings = settings_of(member.config.prompts, maps_of(member))

    def compute(part: Partition) -> None:
        tokens, salient, cited, ablated, measured = [], [], [], [], []
        for each in answers:
            share = share_of(member.loaded, each, settings)
            maps = share.saliency | contrast_of(member.loaded, each, settings)
            tokens.append(token_columns(each, share.bits, member.words))
            salient.append(saliency_columns(each, maps, share.mirage))
            cited.append(citation_columns(each, share.citations))
            ablated.append(ablation_columns(each, share.ablations))
            measured.append(faithfulness_columns(each, share.faithfulness))
            tick(1)
        tables = {"generation_token": tokens, "saliency": salient, "citation": cited}
        for table, columns in (tables | {"ablation": ablated, "faithfulness": measured}).items():
            write_shard(part.folder, table, joined(columns))
        write_shard(part.folder, "evaluation", _sanity_columns(member, answers, settings))

    made_of = key(
        base=member.base_key,
        answers=[each.generation_id for each in answers],
        foils=[[each.prompt.foil, each.prompt.foil_of] for each in answers],
        settings=settings,
        tables=columns_of("generation_token", "saliency", "citation", "ablation", "faithfulness", "evaluation"),
        **_sentences(answers, settings),
    )
    [part] = stage(folder, f"prompts-{member.entry.name}", made_of, ["all"], compute, away=True)
    return part


def _sentences(answers: Sequence[Answer], settings: PromptSettings) -> dict[str, list[str]]:
    """Whose documents' sentences are left out: part of a key only where there are any, so that what was stored of
    prompts without them stays valid."""
    of = [each.generation_id for each in answers if settings.masks and sentences_of(each) is not None]
    return {"sentences": of} if of else {}


def settings_of(prompts: Prompts, methods: Sequence[str]) -> PromptSettings:
    """What the configuration asks for, with these maps."""
    return PromptSettings(methods=tuple(methods), steps=prompts.steps, masks=prompts.masks)


def maps_of(member: Member) -> tuple[str, ...]:
    """The saliency that a build stores: what the configuration names, else `SALIENCY` as far as the model has it.

    Raises BadInput for a method that is named, and that the model cannot be asked for.
    """
    named = member.config.prompts.saliency
    lacking = _lacking(member, SALIENCY if named is None else named)
    if named is None:
        return tuple(name for name in SALIENCY if name not in lacking)
    if lacking:
        raise BadInput(
            f"expected saliency that {member.entry.name} has, found {', '.join(map(repr, lacking))} in [prompts], "
            "which its layers do not tell; leave it out"
        )
    return named


def maps_left_out(member: Member) -> list[str]:
    """A line where the model lacks what is stored of others by default."""
    lacking = _lacking(member, SALIENCY) if member.config.prompts.saliency is None else []
    return [f"{member.entry.name}: no saliency by {', '.join(lacking)}, of which it has none"] if lacking else []


def _lacking(member: Member, names: Sequence[str]) -> list[str]:
    return [name for name in names if not computed()[name].applies(member.loaded.model)]


def asked_of(answer: Answer) -> Asked:
    """The answer as the mathematics reads it."""
    generation, prompt = answer.generation, answer.prompt
    return Asked(
        generation.prompt.ids,
        answer.of_token,
        prompt.parts,
        generation.ids,
        generation.text,
        generation.spans,
        sentences_of(answer),
    )


def sentences_of(answer: Answer) -> Nested | None:
    """Those of the prompt's documents, where any has several."""
    prompt, read = answer.prompt, answer.generation.prompt
    made = nested(read.spans, answer.of_token, prompt.parts, document_sentences(prompt.text, prompt.parts), prompt.text)
    return made if made.several else None


def share_of(
    loaded: LoadedModel, answer: Answer, settings: PromptSettings, tick: Callable[[str], None] = lambda _step: None
) -> PromptShare:
    """Everything that the settings ask for; `tick` is told every step before it begins."""
    return explain(loaded.model, asked_of(answer), absent_token(loaded.tokenizer), settings, tick)


def contrast_of(loaded: LoadedModel, answer: Answer, settings: PromptSettings) -> dict[str, Saliency]:
    """For a prompt that names a foil: why each token and not that one, under method names that end in _contrast."""
    foil = held_foil_of(answer, loaded)
    if foil is None:
        return {}
    against = replace(settings, foil_id=foil.token)
    maps = saliency_maps(loaded.model, asked_of(answer), absent_token(loaded.tokenizer), against)
    return {f"{name}_contrast": each for name, each in of_span(loaded, answer, foil, settings, maps).items()}


def of_span(
    loaded: LoadedModel, answer: Answer, foil: Foil, settings: PromptSettings, maps: Mapping[str, Saliency]
) -> dict[str, Saliency]:
    """The maps with one row for all tokens of the foil's span: why it and not the foil, each as a whole."""
    if foil.span is None:
        return dict(maps)
    read = instead(answer, foil)
    before = read.ids[: read.first]
    said = answer.ids[read.first : read.first + len(foil.span)]
    rows = contrast_continuations(
        loaded.model,
        before,
        said,
        foil.ids,
        tuple(maps),
        absent_id=absent_token(loaded.tokenizer),
        steps=settings.steps,
        scan=settings.scan,
        layer=settings.layer,
        groups=(*sources(answer.of_token, answer.prompt.parts, PLAYERS), *[-1] * foil.span.start),
        batch=settings.batch,
    )
    changed = {}
    for name, each in maps.items():
        scores = each.scores.clone()
        scores[foil.span.start : foil.span.stop] = 0
        scores[foil.span.start : foil.span.stop, : len(before)] = rows[name]
        changed[name] = replace(each, scores=scores, gap=None)
    return changed


def _sanity_columns(member: Member, answers: Sequence[Answer], settings: PromptSettings) -> dict[str, list[object]]:
    """Rows of `evaluation`: for each method, how alike its maps are for the model and for one that learnt nothing."""
    chosen: list[Answer] = []
    for each in answers[:SANITY_ANSWERS]:
        if not chosen or sum(len(one.ids) for one in (*chosen, each)) <= SANITY_TOKENS:
            chosen.append(each)
    absent, random = absent_token(member.loaded.tokenizer), shuffled(member.loaded.model)
    found: dict[str, list[float]] = {}
    for each in chosen:
        learnt, unlearnt = (
            saliency_maps(model, asked_of(each), absent, settings) for model in (member.loaded.model, random)
        )
        for name, one in learnt.items():
            found.setdefault(name, []).append(sanity(one.scores, unlearnt[name].scores, one.visible()))
    return {
        "model_id": [member.loaded.weights_hash] * len(found),
        "method": list(found),
        "metric": ["sanity"] * len(found),
        "value": [sum(values) / len(values) for values in found.values()],
        "detail": [f"{len(chosen)} answers"] * len(found),
    }
