"""A result, or as much of it as is known, as JSON: what the dashboard's panels and `ask --json` read."""

from collections.abc import Sequence
from typing import Any

from attribution.document_norms import DocumentNorms
from indexer.ask.opened import Opened
from indexer.ask.steps import Asked
from indexer.build.candidates import Candidates
from indexer.build.explain import Explained
from indexer.build.heat import Heat
from indexer.build.prompt_share import token_columns


def as_json(asked: Asked, opened: Opened) -> dict[str, Any]:
    """tokens, prompt_tokens, saliency, documents: lists by generated token; numbers as in the database's columns."""
    generation, member = asked.answer.generation, opened.fitted.member
    made: dict[str, Any] = {
        "generation_id": asked.answer.generation_id,
        "model": member.entry.name,
        "prompt": asked.answer.prompt.text,
        "text": generation.text,
        "tokens": _tokens(asked, member.words),
        "prompt_tokens": [
            {"text": asked.answer.prompt.text[start:stop], "start": start, "stop": stop}
            for start, stop in generation.prompt.spans
        ],
    }
    if asked.saliency is not None:
        made["saliency"] = {method: scores.tolist() for method, scores in asked.saliency.items()}
    if asked.exact is not None and asked.found is not None:
        ids = [document.document_id for document in member.documents]
        made |= _influence(asked.exact, asked.found, opened.norms, asked.heat, ids)
    return made


def _tokens(asked: Asked, words: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of `generation_token`; what the prompt did is left out until it is known."""
    generation = asked.answer.generation
    if asked.bits is not None:
        columns = token_columns(asked.answer, asked.bits, words)
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [
        {"token_id": token_id, "text": generation.text[start:stop], "start": start, "stop": stop, "logp": logp}
        for token_id, (start, stop), logp in zip(generation.ids, generation.spans, generation.logp, strict=True)
    ]


def _influence(
    exact: Explained, found: Candidates, norms: DocumentNorms, heat: Heat | None, ids: Sequence[str]
) -> dict[str, Any]:
    via = found.via
    documents = []
    for q, kept in enumerate(exact.kept.ranked):
        place = {int(document): k for k, document in enumerate(kept.top)}
        rows = []
        for document, rank, layers in zip(
            kept.documents.tolist(), kept.ranks.tolist(), exact.kept.layers[q], strict=True
        ):
            row = {
                "document_id": ids[document],
                "rank": rank,
                "score": float(layers.sum()),
                "self_influence": float(norms.self_influence[document]),
                "grad_norm": float(norms.grad_norm[document]),
                "solve_norm": float(norms.solve_norm[document]),
                "layer_scores": layers.tolist(),
                "via": sorted(via[document]),
            }
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
