"""Columns of the tables of words and whole answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from attribution.index.document_norms import DocumentNorms
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import Explained
from indexer.tracing.heat import Where, position_columns
from indexer.tracing.influence_rows import influence_columns, target_columns

Columns = dict[str, Any]


def span_columns(found: Sequence[Candidates]) -> Columns:
    """Columns of `span`."""
    names = ("generation_id", "span", "kind", "first", "last", "start", "stop")
    rows = [
        (each.generation_id, number, of.kind, of.first, of.last, of.start, of.stop)
        for each in found
        for number, of in enumerate(each.spans)
    ]
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def span_candidate_columns(found: Sequence[Candidates], ids: Sequence[str]) -> Columns:
    """Columns of `span_candidate`; what the text and chance propose for the whole answer stands in `candidate`."""
    names = ("generation_id", "span", "document_id", "via", "rank", "value")
    rows = [
        (each.generation_id, proposal.span, ids[document], proposal.via, rank, float(value))
        for each in found
        for proposal in each.proposals
        if proposal.span is not None
        for rank, (document, value) in enumerate(zip(proposal.documents, proposal.values, strict=True), start=1)
    ]
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def scored_span_columns(
    run: str, made: Explained, where: Where, norms: DocumentNorms, ids: Sequence[str]
) -> dict[str, Columns]:
    """Columns of `span_target`, `span_influence` and `span_position`: those of a token's, by the number of the span."""
    return {
        "span_target": _numbered(target_columns(run, made.spans, made.values, made.self_influence)),
        "span_influence": _numbered(influence_columns(run, made.spans, norms, ids)),
        "span_position": _numbered(position_columns(run, made.spans, where, ids)),
    }


def _numbered(columns: Mapping[str, Any]) -> Columns:
    return {"span" if name == "position" else name: of for name, of in columns.items()}
