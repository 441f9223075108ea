"""A scored target set as columns of its tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from attribution.index.document_norms import DocumentNorms
from indexer.groups.scores import GroupScores
from indexer.sets.chosen import curve, ranks
from indexer.sets.scored import ScoredSet

Columns = dict[str, Any]


def target_columns(run: str, of: ScoredSet) -> Columns:
    """A row of `set_target`."""
    null, against = of.null, of.of.of.against
    some = len(null.scores) > 0
    about = {
        "run_id": run,
        "name": of.of.of.name,
        "against": against.name if against else "",
        "n_texts": len(of.of.texts),
        "n_tokens": of.of.n_tokens,
        "value": of.query.value,
        "self_influence": of.self_influence,
        "n_documents": len(of.ends.order),
        "n_scored": len(ranks(of.ends, of.scores)[0]),
        "null_mean": float(null.scores.mean()) if some else None,
        "null_std": float(null.scores.std()) if some else None,
        "null_scores": null.scores,
        "null_estimates": null.estimates,
        "rank_correlation": null.rank_correlation if len(null.scores) > 1 else None,
        "estimate_error": null.estimate_error if some else None,
    }
    return {name: [value] for name, value in about.items()}


def influence_columns(run: str, of: ScoredSet, norms: DocumentNorms, ids: Sequence[str]) -> Columns:
    """Columns of `set_influence`; `ids` are the document ids in corpus order."""
    documents, places = ranks(of.ends, of.scores)
    n = len(documents)
    return {
        "run_id": [run] * n,
        "name": [of.of.of.name] * n,
        "rank": places,
        "document_id": [ids[i] for i in documents],
        "score": of.scores[documents],
        "estimate": of.estimates[documents],
        "self_influence": norms.self_influence[documents],
        "grad_norm": norms.grad_norm[documents],
        "solve_norm": norms.solve_norm[documents],
        "layer_scores": of.layers[np.searchsorted(of.by_document, documents)],
    }


def curve_columns(run: str, of: ScoredSet) -> Columns:
    """Columns of `set_curve`."""
    places, values, totals = curve(of.estimates, of.ends.order)
    n = len(places)
    names = {"run_id": [run] * n, "name": [of.of.of.name] * n}
    return names | {"place": places, "estimate": values, "total": totals}


def group_columns(run: str, of: ScoredSet, scores: GroupScores) -> Columns:
    """Columns of `set_group`."""
    n = len(scores.groups)
    return {
        "run_id": [run] * n,
        "name": [of.of.of.name] * n,
        "corpus": [each.corpus for each in scores.groups],
        "column_name": [each.column for each in scores.groups],
        "value": [each.value for each in scores.groups],
        "score": scores.values[0],
        "error": [None] * n if scores.errors is None else scores.errors[0],
    }
