"""A result, or as much of it as is known, as JSON: what the dashboard's panels and `ask --json` read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from attribution.index.document_norms import DocumentNorms
from attribution.model.sequence import disjoint
from attribution.prompt.explain import PromptShare
from indexer.ask.estimated import Estimated
from indexer.ask.opened import Opened
from indexer.ask.steps import Asked
from indexer.groups.rows import groups_json
from indexer.inside.rows import columns_by_table
from indexer.inside.taught import taught_columns
from indexer.size.answers import Answer
from indexer.size.foil import foil_of
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import Explained, Kept
from indexer.tracing.heat import Heat, Where
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
    beginnings: how surprising training documents begin, {n, nats, partly} as `indexer.ask.surprise` has it.
    solved: where each query was, as `ekfac_cg` does, {method, cg_steps, cg_documents, residuals: of tokens and spans in
    the order in which they were solved}.
    contrasted: tokens that are explained against a foil, as differences; not there without a foil.
    left: what is still to be computed, in words; not there when all is.
    groups: where the build has them, a list of {corpus, column, value, n_documents, score, error}: score has a number
    for each generated token, nats; error their standard errors, None where they are exact. column "" is a whole corpus.
    """
    generation, member = asked.answer.generation, opened.member
    made: dict[str, Any] = {
        "generation_id": asked.answer.generation_id,
        "model": member.entry.name,
        "prompt": asked.answer.prompt.text,
        "text": generation.text,
        "tokens": _tokens(asked, member.words),
        "prompt_tokens": [
            {"text": asked.answer.prompt.text[start:stop], "start": start, "stop": stop, "part": part, "nats": nats}
            for (start, stop), part, nats in zip(
                disjoint(generation.prompt.spans), asked.answer.of_token, asked.surprise, strict=True
            )
        ],
        "parts": [asdict(part) for part in asked.answer.prompt.parts],
        "notices": [*asked.answer.prompt.notices, *asked.answer.notices],
    }
    made |= contrasted(asked.answer, opened)
    if asked.beginnings is not None:
        made["beginnings"] = asdict(asked.beginnings)
    if asked.copied is not None:
        made["verbatim"] = as_rows(asked.copied, opened.member.document_ids)
    if asked.share is not None:
        made |= _share(asked.answer, asked.share)
    if opened.traced is not None and asked.exact is not None and asked.found is not None:
        made |= _influence(asked.exact, asked.found, opened.traced.norms, asked.heat, opened.traced.ids)
        if asked.spans:
            made["spans"] = _spans(asked.exact, asked.found, opened.traced.norms, asked.heat, opened.traced.ids)
    elif opened.traced is not None and asked.estimated is not None:
        made |= {"documents": _estimates(asked.estimated, opened.traced.norms, opened.traced.ids), "estimated": True}
        if asked.estimated_spans is not None:
            by_span = _estimates(asked.estimated_spans, opened.traced.norms, opened.traced.ids)
            made["spans"] = [
                asdict(span) | {"documents": found} for span, found in zip(asked.spans, by_span, strict=True)
            ]
    if asked.groups is not None:
        made["groups"] = groups_json(asked.groups)
    if asked.left:
        made["left"] = list(asked.left)
    if asked.solving is not None:
        made["solved"] = asked.solving.facts
    tables = _inside(asked, opened)
    if tables:
        made["faithfulness"] = [*made.get("faithfulness", []), *tables.pop("faithfulness", [])]
        made["inside"] = tables
    return made


def contrasted(answer: Answer, opened: Opened) -> dict[str, Any]:
    """Positions whose measurement is a difference of log-probabilities, under their name; {} without a foil."""
    foil = foil_of(answer, opened.member.loaded)
    if foil is None:
        return {}
    return {"contrasted": list(range(len(answer.generation.ids)) if foil.span is None else foil.span)}


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


def _estimates(estimated: Estimated, norms: DocumentNorms, ids: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The documents of each target before the exact scores are known: no layers, no null."""
    by_target = zip(estimated.documents, estimated.ranks, estimated.values, strict=True)
    return [
        [
            _document(ids, norms, document, rank, score) | {"via": ["index"]}
            for document, rank, score in zip(found.tolist(), ranks.tolist(), values.tolist(), strict=True)
        ]
        for found, ranks, values in by_target
    ]


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
    kept, where = exact.kept, None if heat is None else heat.tokens
    return {
        "documents": [
            _kept_documents(exact, kept, k, where, found.via(position), norms, ids)
            for k, (_, position) in enumerate(kept.places)
        ],
        "null_scores": [scores.tolist() for scores in kept.null],
        "n_scored": [each.n_scored for each in kept.ranked],
        "self_influence": exact.own.last[kept.queries].tolist(),
    }


def _spans(
    exact: Explained, found: Candidates, norms: DocumentNorms, heat: Heat | None, ids: Sequence[str]
) -> list[dict[str, Any]]:
    """By number: chunks have those of one token before the others."""
    kept, where, via = exact.spans, None if heat is None else heat.spans, found.via_of_spans
    made = {
        number: asdict(found.spans[number])
        | {
            "documents": _kept_documents(exact, kept, k, where, via, norms, ids),
            "value": float(exact.values[kept.queries[k]]),
            "n_scored": kept.ranked[k].n_scored,
            "null_scores": kept.null[k].tolist(),
            "self_influence": float(exact.own.last[kept.queries[k]]),
        }
        for k, (_, number) in enumerate(kept.places)
    }
    return [made[number] for number in sorted(made)]


def _kept_documents(
    exact: Explained,
    kept: Kept,
    k: int,
    where: Where | None,
    via: Mapping[int, set[str]],
    norms: DocumentNorms,
    ids: Sequence[str],
) -> list[dict[str, Any]]:
    """Of one target, most positive first."""
    ranked = kept.ranked[k]
    own = exact.own.met(np.full(len(ranked.documents), kept.queries[k]), ranked.documents).tolist()
    place = {int(document): n for n, document in enumerate(ranked.top)}
    rows = []
    scored = zip(ranked.documents.tolist(), ranked.ranks.tolist(), kept.layers[k], own, strict=True)
    for document, rank, layers, query in scored:
        row = _document(ids, norms, document, rank, float(layers.sum()))
        row |= {"layer_scores": layers.tolist(), "via": sorted(via[document]), "query_self_influence": query}
        n = place.get(document)
        if where is not None and n is not None and n < len(where.shares[k]):
            row["shares"] = where.shares[k][n].tolist()
            if n < len(where.losses[k]):
                row["loss_influences"] = where.losses[k][n].influences.tolist()
        rows.append(row)
    return rows
