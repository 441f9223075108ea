"""EDGE: what the prompt did for every generated token: bits against memory, saliency, citations of its documents."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.model import LoadedModel
from attribution.prompt import contextcite
from attribution.prompt.ablated import ablate
from attribution.prompt.bits import PromptBits, prompt_bits
from attribution.prompt.citations import PRESETS
from attribution.prompt.mirage import mirage
from attribution.prompt.parts import Part as PromptPart
from attribution.prompt.parts import owned, token_parts
from attribution.prompt.saliency import absent_token, saliency
from attribution.prompt.sentences import token_sentences
from indexer.build.answers import Answer
from indexer.build.member import Member
from indexer.database.shard import write_shard
from indexer.journal import Finished, key, stage
from indexer.partition import Part

METHODS = ("grad_x_input", "grad_norm", "occlusion", "attention")  # the quick ones; `ask` adds integrated gradients
FEW_DOCUMENTS = 8  # up to here leave-one-out is cheap beside the half-masks

Columns = dict[str, list[object]]
Citations = list[tuple[int, int, str, float]]  # sentence, part, method, score


def prompt_shares(folder: Path, member: Member, answers: Sequence[Answer], tick: Callable[[int], None]) -> Finished:
    """Shards of `generation_token`, `saliency` and `citation`; `tick(1)` after every answer."""

    def compute(part: Part) -> None:
        tokens, salient, cited = [], [], []
        for each in answers:
            tokens.append(token_columns(each, bits_of(member.loaded, each), member.words))
            salient.append(_saliency_columns(each, saliency_of(member.loaded, each)))
            cited.append(_citation_columns(each, citations_of(member.loaded, each)))
            tick(1)
        write_shard(part.folder, "generation_token", _joined(tokens))
        write_shard(part.folder, "saliency", _joined(salient))
        write_shard(part.folder, "citation", _joined(cited))

    made_of = key(base=member.base_key, answers=[each.generation_id for each in answers], methods=METHODS)
    [part] = stage(folder, f"prompts-{member.entry.name}", made_of, ["all"], compute)
    return part


def parts_of(answer: Answer) -> tuple[tuple[PromptPart, ...], tuple[int, ...]]:
    """The parts of the prompt, and for each of its tokens the part that it belongs to."""
    parts = owned(answer.prompt.parts)
    return parts, token_parts(answer.prompt.text, answer.generation.prompt.spans, parts)


def bits_of(loaded: LoadedModel, answer: Answer) -> PromptBits:
    """What nothing, the question and the documents say of every generated token."""
    parts, of_token = parts_of(answer)
    return prompt_bits(loaded.model, answer.generation.prompt.ids, of_token, parts, answer.generation.ids)


def saliency_of(
    loaded: LoadedModel, answer: Answer, methods: Sequence[str] = METHODS, foil: int | None = None
) -> dict[str, NDArray[np.float32]]:
    """By method, every generated token against the prompt and the answer before it  # [K, S]

    foil: a token id, to explain log p(token) − log p(foil) instead of log p(token).
    """
    made = {}
    for method in methods:
        found = saliency(
            loaded.model,
            answer.generation.prompt.ids,
            answer.generation.ids,
            method,
            foil_ids=None if foil is None else [foil] * answer.n_targets,
            absent_id=absent_token(loaded.tokenizer),
        )
        made[method] = found.scores.numpy()
    return made


def citations_of(loaded: LoadedModel, answer: Answer) -> Citations:
    """MIRAGE, ContextCite and leave-one-out for the documents of a prompt; none where it has none."""
    parts, of_token = parts_of(answer)
    documents = [part.part for part in parts if part.kind == "document"]
    if not documents:
        return []
    ids, generated = answer.generation.prompt.ids, answer.generation.ids
    sentences = token_sentences(answer.generation.text, answer.generation.spans)
    found = mirage(loaded.model, ids, of_token, parts, generated)
    told = found.citations(of_token, parts, sentences, PRESETS["paper"])
    cited: Citations = [(c.sentence, c.part, "mirage", c.score) for c in told]
    of_source = contextcite.sources(of_token, parts)
    halves = contextcite.half_masks(len(documents))
    measured = ablate(loaded.model, ids, of_source, generated, halves)
    singles = contextcite.single_masks(len(documents))
    alone = ablate(loaded.model, ids, of_source, generated, singles)
    for sentence in sorted(set(sentences) - {-1}):
        span = [position for position, of in enumerate(sentences) if of == sentence]
        weights = {"contextcite": contextcite.fit(measured, span).weights}
        if len(documents) <= FEW_DOCUMENTS:
            weights["leave_one_out"] = contextcite.leave_one_out(alone, span)
        for method, values in weights.items():
            cited += [(sentence, part, method, float(w)) for part, w in zip(documents, values, strict=True)]
    return cited


def token_columns(answer: Answer, bits: PromptBits, words: Sequence[str]) -> Columns:
    """Columns of `generation_token`."""
    generation, n = answer.generation, answer.n_targets
    return {
        "generation_id": [answer.generation_id] * n,
        "position": list(range(n)),
        "token_id": list(generation.ids),
        "text": [generation.text[start:stop] for start, stop in generation.spans],
        "start": [start for start, _ in generation.spans],
        "stop": [stop for _, stop in generation.spans],
        "logp": list(generation.logp),
        "foil_text": [words[i] for i in bits.foil_ids],
        "foil_logp": _floats(bits.foil_logp),
        "bits_nothing": _floats(bits.nothing),
        "bits_question": _floats(bits.question),
        "bits_documents": _floats(bits.documents),
        "bits_full": _floats(bits.full),
        "kl_context": _floats(bits.kl),
    }


def _saliency_columns(answer: Answer, found: dict[str, NDArray[np.float32]]) -> Columns:
    rows = [
        (answer.generation_id, position, method, source, float(score))
        for method, scores in found.items()
        for position in range(answer.n_targets)
        for source, score in enumerate(scores[position, : answer.first + position])
    ]
    names = ("generation_id", "position", "method", "source_position", "score")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _citation_columns(answer: Answer, cited: Citations) -> Columns:
    names = ("sentence", "part", "method", "score")
    columns: Columns = {name: [row[i] for row in cited] for i, name in enumerate(names)}
    return {"generation_id": [answer.generation_id] * len(cited), **columns}


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def _floats(values: torch.Tensor) -> list[object]:
    return [float(value) for value in values]
