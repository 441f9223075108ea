"""A result, or as much of it as is known, as JSON: what the dashboard's panels and `ask --json` read."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from attribution.index.document_norms import DocumentNorms
from attribution.model.sequence import disjoint
from attribution.prompt.explain import PromptShare
from indexer.ask.estimated import Estimated
from indexer.ask.opened import Opened
from indexer.ask.steps import Asked
from indexer.inside.rows import columns_by_table
from indexer.inside.taught import taught_columns
from indexer.size.answers import Answer
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import Explained
from indexer.tracing.heat import Heat
from indexer.tracing.prompt_rows import ablation_columns, citation_columns, faithfulness_columns, rows_of, token_columns
from indexer.verbatim.stage import as_rows


def as_json(asked: Asked, opened: Opened) -> dict[str, Any]:
    """tokens, prompt_tokens, saliency, documents: lists by generated token; numbers as in the database's columns.

    spans: words in order and the whole answer last, each {kind: "word" or "answer", first, last: its tokens, both
    included, start, stop: characters of `text`, documents: as those of a token}; once the scores are exact, value (log
    p of the span, or what it is contrasted by), n_scored, null_scores and self_influence too. Not there where the build
    has no words.

    verbatim: the longest spans of the answer that stand in the training texts, each {first, last: its tokens, both
    included, n_places, n_documents, places: [{document_id, token_position}]}. Not there where the build keeps no suffix
    arrays.

    inside: rows by the names of their tables, where the build looked inside: component_taught and, after it,
    component_effect, component_measured, component_attention, lens.
    """
    generation, member = asked.answer.generation, opened.member
    made: dict[str, Any] = {
        "generation_id": asked.answer.generation_id,
        "model": member.entry.name,
        "prompt": asked.answer.prompt.text,
        "text": generation.text,
        "tokens": _tokens(asked, member.words),
        "prompt_tokens": [
            {"text": asked.answer.prompt.text[start:stop], "start": start, "stop": stop, "part": part}
            for (start, stop), part in zip(disjoint(generation.prompt.spans), asked.answer.of_token, strict=True)
        ],
        "parts": [asdict(part) for part in asked.answer.prompt.parts],
        "notices": [*asked.answer.prompt.notices, *asked.answer.notices],
    }
    if asked.copied is not None:
        made["verbatim"] = as_rows(asked.copied, opened.member.document_ids)
    if asked.share is not None:
        made |= _share(asked.answer, asked.share)
    if opened.traced is not None and asked.exact is not None and asked.found is not None:
        made |= _influence(asked.exact, asked.found, opened.traced.norms, asked.heat, opened.traced.ids)
    elif opened.traced is not None and asked.estimated is not None:
        made |= _estimates(asked.estimated, opened.traced.norms, opened.traced.ids)
    tables = _inside(asked, opened)
    if tables:
        made["faithfulness"] = [*made.get("faithfulness", []), *tables.pop("faithfulness", [])]
        made["inside"] = tables
    return made


def _inside(asked: Asked, opened: Opened) -> dict[str, list[dict[str, Any]]]:
    """Rows by table, as they are known; {} before anything is."""
    found: dict[str, list[dict[str, Any]]] = {}
    if asked.heat is not None and asked.heat.taught is not None and asked.exact is not None and opened.traced:
        of = taught_columns(opened.traced.fitted.run, asked.exact.kept, asked.heat, opened.traced.ids)
        found["component_taught"] = [{name: _plain(value) for name, value in row.items()} for row in rows_of(of)]
    if asked.inside is not None:
        columns = columns_by_table(asked.answer, asked.inside, opened.member.words)
        found |= {table: rows_of(each) for table, each in columns.items()}
    return found


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _estimates(estimated: Estimated, norms: DocumentNorms, ids: Sequence[str]) -> dict[str, Any]:
    """`documents` before the exact scores are known: no layers, no null; `estimated` says so."""
    by_token = zip(estimated.documents, estimated.ranks, estimated.values, strict=True)
    documents = [
        [
            _document(ids, norms, document, rank, score) | {"via": ["index"]}
            for document, rank, score in zip(found.tolist(), ranks.tolist(), values.tolist(), strict=True)
        ]
        for found, ranks, values in by_token
    ]
    return {"documents": documents, "estimated": True}


def _document(ids: Sequence[str], norms: DocumentNorms, document: int, rank: int, score: float) -> dict[str, Any]:
    return {
        "document_id": ids[document],
        "rank": rank,
        "score": score,
        "self_influence": float(norms.self_influence[document]),
        "grad_norm": float(norms.grad_norm[document]),
        "solve_norm": float(norms.solve_norm[document]),
    }


def _share(answer: Answer, share: PromptShare) -> dict[str, Any]:
    """saliency: matrices by method; citation, ablation, faithfulness: rows of the tables of these names."""
    maps = {method: found.scores.tolist() for method, found in share.saliency.items()}
    if share.mirage is not None:
        maps |= {
            "mirage_norm": share.mirage.cci_norm.tolist(),
            "mirage_grad_x_input": share.mirage.cci_grad_x_input.tolist(),
        }
    return {
        "saliency": maps,
        "citation": rows_of(citation_columns(answer, share.citations)),
        "ablation": rows_of(ablation_columns(answer, share.ablations)),
        "faithfulness": rows_of(faithfulness_columns(answer, share.faithfulness)),
    }


def _tokens(asked: Asked, words: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of `generation_token`; what the prompt did is left out until it is known."""
    if asked.share is not None:
        return rows_of(token_columns(asked.answer, asked.share.bits, words))
    return plain_tokens(asked.answer)


def plain_tokens(answer: Answer) -> list[dict[str, Any]]:
    """token_id, text, start, stop, logp of every generated token."""
    generation = answer.generation
    return [
        {"token_id": token_id, "text": generation.text[start:stop], "start": start, "stop": stop, "logp": logp}
        for token_id, (start, stop), logp in zip(generation.ids, generation.spans, generation.logp, strict=True)
    ]


def _influence(
    exact: Explained, found: Candidates, norms: DocumentNorms, heat: Heat | None, ids: Sequence[str]
) -> dict[str, Any]:
    documents = []
    for q, kept in enumerate(exact.kept.ranked):
        via = found.via(q)
        place = {int(document): k for k, document in enumerate(kept.top)}
        rows = []
        for document, rank, layers in zip(
            kept.documents.tolist(), kept.ranks.tolist(), exact.kept.layers[q], strict=True
        ):
            row = _document(ids, norms, document, rank, float(layers.sum()))
            row |= {"layer_scores": layers.tolist(), "via": sorted(via[document])}
            k = place.get(document)
            if heat is not None and k is not None and k < len(heat.shares[q]):
                row["shares"] = heat.shares[q][k].tolist()
                if k < len(heat.losses[q]):
                    row["loss_influences"] = heat.losses[q][k].influences.tolist()
            rows.append(row)
        documents.append(rows)
    return {
        "documents": documents,
        "null_scores": [scores.tolist() for scores in exact.kept.null],
        "n_scored": [each.n_scored for each in exact.kept.ranked],
        "self_influence": exact.self_influence.tolist(),
    }
