"""Position shares as they are stored: they add up to the score in every stage of training, at the default."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.curvature.factors import Factors
from attribution.curvature.stages import across_stages
from attribution.exact.shares import position_shares
from attribution.index.document_norms import DocumentNorms
from attribution.model.tracked import track
from attribution.query.low_rank import factor
from attribution.query.solve import query_directions
from indexer.config.config import ScoreSettings
from indexer.size.terms import Term
from indexer.tracing.explain import Explained, Pairs, keep, term_values
from indexer.tracing.heat import Heat, heat
from tests.attribution import tiny

IDS, FIRST = (0, 3, 4, 5, 3, 7), 3
EACH = 12  # documents of a stage: some with a mask, some in windows


@dataclass
class Stage:
    """As much of `Fitted` as the heat of documents reads."""

    member: SimpleNamespace
    factors: Factors
    terms: list
    stages: list


def traced(n_stages: int, rank: int | None = None) -> tuple[Stage, Explained]:
    """Models that were trained one after the other, and every document of theirs scored for three tokens."""
    models = [track(tiny.tiny_model(seed=seed, dtype=torch.float32)) for seed in range(n_stages)]
    factors = [tiny.random_factors(of, seed) for seed, of in enumerate(models)]
    rows = [row for seed in range(n_stages) for row in tiny.tiny_documents(EACH, seed)]
    settings = ScoreSettings(documents=EACH, position_shares=EACH)
    settings = settings if rank is None else replace(settings, rank=rank)
    member = SimpleNamespace(config=SimpleNamespace(scores=settings), rows=rows)
    solves = [damp(factors[0])] if n_stages == 1 else across_stages(factors)
    terms = [
        Term(models[-1], solve, of, range(EACH * s, EACH * (s + 1)), 50 + s)
        for s, (solve, of) in enumerate(zip(solves, models, strict=True))
    ]
    stages = [Stage(member, of, [], []) for of in factors]
    directions = [query_directions(of.asked, of.preconditioner, IDS, FIRST) for of in terms]
    n = len(IDS) - FIRST
    # a query each for the documents of a stage: those of the last one would win everywhere
    wanted = np.arange(len(rows))[None] // EACH == np.arange(n)[:, None] % n_stages
    of = Pairs([("g", q) for q in range(n)], np.arange(len(rows)), wanted, [np.arange(3)] * n)
    values = term_values(terms, directions, rows, of)
    norms = DocumentNorms(*(np.ones(len(rows), dtype=np.float32) for _ in range(4)), ())
    kept = keep(values.by_layer, of, norms, settings.documents)
    nothing = np.zeros(n, dtype=np.float32)
    made = Explained(kept, nothing, values.shares, nothing, lambda: directions)
    return Stage(member, factors[-1], terms, stages), made


def scores(made: Explained, q: int) -> dict[int, float]:
    ranked = made.kept.ranked[q]
    return dict(zip(ranked.documents.tolist(), made.kept.layers[q].sum(-1).tolist(), strict=True))


def of_pairs(made: Explained, found: Heat) -> list[tuple[int, int, np.ndarray, float]]:
    """(query, document, shares, score)"""
    return [
        (q, i, share, scores(made, q)[i])
        for q, ranked in enumerate(made.kept.ranked)
        for i, share in zip(ranked.top.tolist(), found.shares[q], strict=True)
    ]


@pytest.mark.parametrize("n_stages", [1, 2, 3])
def test_shares_add_up_to_the_score_at_the_default(n_stages):
    fitted, made = traced(n_stages)
    pairs = of_pairs(made, heat(fitted, made))
    assert len(pairs) == 3 * EACH
    assert any(fitted.member.rows[i].windows for _, i, *_ in pairs)
    assert any(fitted.member.rows[i].learned for _, i, *_ in pairs)
    assert len({i // EACH for _, i, *_ in pairs}) == n_stages
    for _, i, share, score in pairs:
        assert len(share) == len(fitted.member.rows[i])
        assert abs(share.sum() - score) <= 1e-5 * np.abs(share).sum()


@pytest.mark.parametrize("n_stages", [1, 2, 3])
def test_at_a_rank_each_stage_is_cut_in_its_own_eigenbasis(n_stages):
    """And what is left is what no position resolves: the shares are no longer the score."""
    fitted, made = traced(n_stages, rank=2)
    rows, missed = fitted.member.rows, []
    for q, i, share, score in of_pairs(made, heat(fitted, made)):
        term, stage = fitted.terms[i // EACH], fitted.stages[i // EACH]
        d = made.directions()[i // EACH]
        own = [[i] if query == q else [] for query in range(3)]
        cut = factor(d, stage.factors, 2)
        expected = position_shares(term.trained, d, rows, own, term.n_train, factored=cut)[q][0].sum(-1)
        np.testing.assert_allclose(share, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
        missed.append(abs(share.sum() - score) / abs(score))
    assert max(missed) > 1e-3
