"""What the prompt did, as columns of the tables that keep it; see indexer.database.schema."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from attribution.prompt.beside import Faithfulness
from attribution.prompt.context.bits import PromptBits
from attribution.prompt.context.citations import Citation
from attribution.prompt.context.contextcite import Ablations
from attribution.prompt.context.mirage import Mirage, as_rows
from attribution.prompt.saliency.saliency import Saliency
from indexer.size.answers import Answer

Columns = dict[str, list[Any]]


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
        "kl_reversed": _floats(bits.kl_reversed),
        "js_context": _floats(bits.js),
        "foil_id": list(bits.foil_ids),
    }


def saliency_columns(answer: Answer, maps: Mapping[str, Saliency], found: Mirage | None) -> Columns:
    """Columns of `saliency`: every source that a token could see; CCI for the tokens of the prompt only."""
    rows = [(position, name, source, score) for name, each in maps.items() for position, source, score in each.rows()]
    if found is not None:
        for name, cci in (("mirage_norm", found.cci_norm), ("mirage_grad_x_input", found.cci_grad_x_input)):
            rows += [(position, name, source, score) for position, source, score in as_rows(cci)]
    return _columns(answer, ("position", "method", "source_position", "score"), rows)


def citation_columns(answer: Answer, cited: Mapping[str, Sequence[Citation]]) -> Columns:
    """Columns of `citation`: at most three of each method for each sentence."""
    rows = [(each.sentence, each.part, method, each.score) for method, found in cited.items() for each in found]
    return _columns(answer, ("sentence", "part", "method", "score"), rows)


def ablation_columns(answer: Answer, ablations: Mapping[str, Ablations]) -> Columns:
    """Columns of `ablation`; `attribution.prompt.stored` reads them back."""
    rows = [
        (design, number, mask.tolist(), odds.tolist())
        for design, each in ablations.items()
        for number, (mask, odds) in enumerate(zip(each.masks, each.odds, strict=True))
    ]
    return _columns(answer, ("design", "number", "present", "log_odds"), rows)


def faithfulness_columns(answer: Answer, measures: Sequence[Faithfulness]) -> Columns:
    """Columns of `faithfulness`."""
    rows = [(each.method, each.metric, each.value, each.random, each.detail) for each in measures]
    return _columns(answer, ("method", "metric", "value", "random", "detail"), rows)


def joined(parts: Sequence[Mapping[str, Any]]) -> Columns:
    """The rows of several answers, one after the other."""
    return {name: [value for part in parts for value in part[name]] for name in parts[0]} if parts else {}


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """The same as one record a row."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _columns(answer: Answer, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Columns:
    columns: Columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return {"generation_id": [answer.generation_id] * len(rows)} | columns


def _floats(values: torch.Tensor) -> list[float]:
    return [float(value) for value in values]
