"""Position shares as they are stored: they add up to the score in every stage of training, at the default."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from attribution.components.units import units
from attribution.curvature.blocks import damp
from attribution.curvature.factors import Factors
from attribution.curvature.stages import across_stages
from attribution.exact.shares import position_shares
from attribution.index.document_norms import DocumentNorms
from attribution.model.tracked import track
from attribution.query.low_rank import factor
from attribution.query.settled import settled
from attribution.query.solve import query_directions
from indexer.config.config import ScoreSettings
from indexer.size.terms import Term
from indexer.tracing.candidates import Candidates, Proposal
from indexer.tracing.chunks import Chunk
from indexer.tracing.explain import Explained, Kept, Pairs, Target, explain, keep, term_values
from indexer.tracing.heat import Heat, heat, heat_of
from indexer.tracing.own_influence import own_influence
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


def traced(n_stages: int, rank: int | None = None, along: bool = False) -> tuple[Stage, Explained]:
    """Models that were trained one after the other, and every document of theirs scored for three tokens.

    along: what is each component's comes along with the scores.
    """
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
    owned = units(models[-1]).owned if along else None
    if along:
        directions = [settled(models[-1], of, 10**9) for of in directions]
    n = len(IDS) - FIRST
    # a query each for the documents of a stage: those of the last one would win everywhere
    wanted = np.arange(len(rows))[None] // EACH == np.arange(n)[:, None] % n_stages
    of = Pairs(np.arange(len(rows)), wanted, [Target(("g", q), q, wanted[q], np.arange(3)) for q in range(n)], [])
    values = term_values(terms, directions, rows, of, owned=owned)
    norms = DocumentNorms(*(np.ones(len(rows), dtype=np.float32) for _ in range(4)), ())
    kept = keep(values.by_layer, of.union, of.tokens, norms, settings.documents)
    nothing = np.zeros(n, dtype=np.float32)
    made = Explained(
        kept,
        Kept([], [], [], [], []),
        nothing,
        values.shares,
        own_influence(terms, directions),
        lambda: directions,
        list,
        values.owned,
    )
    return Stage(member, factors[-1], terms, stages), made


def scores(made: Explained, q: int) -> dict[int, float]:
    ranked = made.kept.ranked[q]
    return dict(zip(ranked.documents.tolist(), made.kept.layers[q].sum(-1).tolist(), strict=True))


def of_pairs(made: Explained, found: Heat) -> list[tuple[int, int, np.ndarray, float]]:
    """(query, document, shares, score)"""
    return [
        (q, i, share, scores(made, q)[i])
        for q, ranked in enumerate(made.kept.ranked)
        for i, share in zip(ranked.top.tolist(), found.tokens.shares[q], strict=True)
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


@pytest.mark.parametrize("along", [False, True])
@pytest.mark.parametrize("rank", [None, 2])
@pytest.mark.parametrize("n_stages", [1, 2, 3])
def test_components_add_up_to_the_linear_layers_of_every_stage_and_change_no_share(n_stages, rank, along):
    fitted, made = traced(n_stages, rank, along)
    tracked = fitted.terms[-1].trained
    assert bool(made.owned) == along
    plain, found = heat(fitted, made), heat(fitted, made, units(tracked), neurons=5)
    assert plain.taught is None
    for q, ranked in enumerate(made.kept.ranked):
        assert len(found.taught[q]) == len(ranked.top) == EACH
        by_layer = dict(zip(ranked.documents.tolist(), made.kept.layers[q], strict=True))
        of = zip(ranked.top.tolist(), found.taught[q], found.tokens.shares[q], plain.tokens.shares[q], strict=True)
        for i, own, share, before in of:
            np.testing.assert_allclose(share, before, rtol=1e-4, atol=1e-5 * np.abs(before).max())
            linear = by_layer[i][: len(tracked.linear)]
            assert abs(own.total - linear.sum()) <= 1e-5 * np.abs(linear).sum()
            assert len(own.neurons) <= 5
    chunks = [made, made]
    assert len(heat_of(fitted, chunks, units(tracked)).taught) == 6
    assert heat_of(fitted, chunks).taught is None


def test_shares_of_pairs_that_are_not_known_come_along_with_the_components():
    fitted, made = traced(2, along=True)
    of = units(fitted.terms[-1].trained)
    shares, owned = (dict(list(known.items())[start::2]) for start, known in ((0, made.shares), (1, made.owned)))
    expected = heat(fitted, made, of)
    found = heat(fitted, replace(made, shares=shares, owned=owned), of)
    for before, now in zip(expected.tokens.shares, found.tokens.shares, strict=True):
        for one, other in zip(before, now, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5 * np.abs(one).max())
    for before, now in zip(expected.taught, found.taught, strict=True):
        for one, other in zip(before, now, strict=True):
            np.testing.assert_allclose(other.heads, one.heads, rtol=1e-4, atol=1e-5 * np.abs(one.heads).max())
            assert other.total == pytest.approx(one.total, rel=1e-4, abs=1e-5 * float(np.abs(one.heads).max()))


@pytest.mark.parametrize("memory", [2 << 30, 1])
def test_the_road_with_components_from_the_beginning_gives_what_it_gives_without(memory):
    fitted, _ = traced(1)
    [term] = fitted.terms
    of = units(term.trained)
    tracked = tiny.scheduled(term.trained, memory=memory)
    fitted = replace(fitted, terms=[replace(term, asked=tracked, trained=tracked)])
    fitted.member.n_train = term.n_train
    fitted.member.config.scores = replace(fitted.member.config.scores, position_shares=2)
    answer = SimpleNamespace(generation_id="g", ids=IDS, first=FIRST, n_targets=3)
    by_token = [Proposal("index", np.arange(q, q + 8), np.zeros(8, dtype=np.float32), q) for q in range(3)]
    by_token.append(Proposal("random", np.arange(2), np.zeros(2, dtype=np.float32)))
    norms = DocumentNorms(*(np.ones(EACH, dtype=np.float32) for _ in range(4)), ())
    given = fitted, norms, [answer], [Candidates("g", tuple(by_token))], Chunk(((0, range(3)),), None)
    without, within = explain(*given), explain(*given, units=of)
    assert not without.owned
    tops = {(q, i) for q, each in enumerate(within.kept.ranked) for i in each.top[:2].tolist()}
    assert set(within.owned) <= tops and bool(within.owned) == (memory > 1)
    assert all(part.base is None for part in within.owned.values())
    one, other = heat(fitted, without, of), heat(fitted, within, of)
    for q, (before, now) in enumerate(zip(one.taught, other.taught, strict=True)):
        np.testing.assert_array_equal(without.kept.ranked[q].documents, within.kept.ranked[q].documents)
        np.testing.assert_allclose(without.kept.layers[q], within.kept.layers[q], rtol=1e-4, atol=1e-5)
        for a, b in zip(before, now, strict=True):
            np.testing.assert_allclose(b.heads, a.heads, rtol=1e-4, atol=1e-5 * np.abs(a.heads).max())
            assert b.total == pytest.approx(a.total, rel=1e-4, abs=1e-5 * float(np.abs(a.heads).max()))
