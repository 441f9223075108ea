from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.curvature.stages import across_stages
from attribution.errors import BadInput
from attribution.exact.scores import score_documents
from attribution.model.tracked import track
from attribution.query.directions import join_directions
from attribution.query.solve import NEGLIGIBLE, continuation_directions, query_directions, rows_that_matter
from attribution.query.vocabulary_rows import whole_rows
from tests.attribution import tiny

IDS = (0, 3, 4, 5, 3, 7, 9)
FIRST = 3
FLOAT32 = {"rtol": 1e-5, "atol": 1e-6}  # transformers normalises in float32 whatever the model's precision


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_all_tokens_in_one_pass_are_the_single_dense_ones(kind):
    tracked, H = tiny.tiny_engine(kind)
    d = query_directions(tracked, H, IDS, FIRST, negligible=0)
    assert d.n == len(IDS) - FIRST
    for k in range(d.n):
        document = tiny.Row(IDS[: FIRST + k + 1], first_target=FIRST + k)
        g = tiny.gradient(tracked, lambda moving, of=document: -tiny.loss(tracked, moving, of))
        solved = tiny.dense_solve(tiny.random_factors(tracked), g)
        found = [block.values[k] for block in d.linear] + [block.values[k] for block in d.embedding]
        for layer, block, truth in zip(tracked.layers, found, solved, strict=True):
            torch.testing.assert_close(block, truth, rtol=1e-5, atol=1e-9, msg=lambda m, n=layer.name: f"{n}: {m}")
        torch.testing.assert_close(d.energy[k], tiny.inner(g, solved).sum(), rtol=1e-5, atol=0)
        torch.testing.assert_close(d.values[k], torch.tensor(-tiny.loss_value(tracked, document)).double())


SPANS = [range(0, 2), range(1, 4), range(0, 4), range(3, 4)]


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_input_18_a_span_is_the_sum_of_its_tokens(kind):
    """Against autograd and dense linear algebra; several in one pass, however they overlap."""
    tracked, H = tiny.tiny_engine(kind)
    d = query_directions(tracked, H, IDS, FIRST, spans=SPANS, negligible=0)
    assert d.n == len(SPANS)
    for k, span in enumerate(SPANS):
        document = tiny.Row(IDS[: FIRST + span.stop], first_target=FIRST + span.start)
        g = tiny.gradient(tracked, lambda moving, of=document: -tiny.loss(tracked, moving, of))
        solved = tiny.dense_solve(tiny.random_factors(tracked), g)
        found = [block.values[k] for block in d.linear] + [block.values[k] for block in d.embedding]
        for block, truth in zip(found, solved, strict=True):
            torch.testing.assert_close(block, truth, rtol=1e-5, atol=1e-8)
        torch.testing.assert_close(d.energy[k], tiny.inner(g, solved).sum(), rtol=1e-5, atol=0)
        assert float(d.values[k]) == pytest.approx(-tiny.loss_value(tracked, document), rel=1e-6)


def test_spans_are_split_into_passes_and_those_of_a_contrast_are_sums_too(monkeypatch):
    tracked, H = tiny.tiny_engine()
    asked = {"measurement": "contrast", "foils": [6, 2, 8, 1], "negligible": 0}
    each = query_directions(tracked, H, IDS, FIRST, **asked)
    monkeypatch.setattr("attribution.query.passes.AT_ONCE", 3)
    spans = query_directions(tracked, H, IDS, FIRST, spans=SPANS, **asked)
    for k, of in enumerate(SPANS):
        for found, truth in zip((*spans.linear, *spans.embedding), (*each.linear, *each.embedding), strict=True):
            torch.testing.assert_close(found.values[k], truth.values[of.start : of.stop].sum(0), **FLOAT32)
        torch.testing.assert_close(spans.values[k], each.values[of.start : of.stop].sum())


@pytest.mark.parametrize("span", [range(2, 2), range(0, 5), range(-1, 2)])
def test_a_span_of_other_tokens_is_refused(span):
    tracked, H = tiny.tiny_engine()
    with pytest.raises(BadInput, match="expected spans of the 4 tokens"):
        query_directions(tracked, H, IDS, FIRST, spans=[span])


def test_a_contrast_with_more_around_it_is_the_sum():
    tracked, H = tiny.tiny_engine()
    alone = continuation_directions(tracked, H, IDS, 4, (6, 2), last=5, negligible=0)
    also = [query_directions(tracked, H, IDS, first, last=last, spans=[range(last - first)], negligible=0)
            for first, last in ((3, 4), (5, 7))]  # fmt: skip
    both = continuation_directions(tracked, H, IDS, 4, (6, 2), last=5, also=[range(3, 4), range(5, 7)], negligible=0)
    for found, *of in zip(both.linear, alone.linear, *(each.linear for each in also), strict=True):
        torch.testing.assert_close(found.values, sum(each.values for each in of), **FLOAT32)
    torch.testing.assert_close(both.values, alone.values + also[0].values + also[1].values)


def test_a_contrast_is_the_difference_of_two_tokens():
    tracked, H = tiny.tiny_engine()
    foil = 6
    contrast = query_directions(tracked, H, IDS, 6, measurement="contrast", foils=[foil], negligible=0)
    pair = [query_directions(tracked, H, (*IDS[:6], y), 6, negligible=0) for y in (IDS[6], foil)]
    for found, (one, other) in zip(contrast.linear, zip(*(of.linear for of in pair), strict=True), strict=True):
        torch.testing.assert_close(found.values, one.values - other.values, **FLOAT32)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
@pytest.mark.parametrize(("last", "foil"), [(5, (6,)), (4, (6, 3, 8, 2)), (None, (6, 5))])
def test_input_35_a_contrast_of_two_continuations_is_autograds(kind, last, foil):
    tracked, H = tiny.tiny_engine(kind)
    said, instead = IDS[:last], (*IDS[:FIRST], *foil)

    def contrast(moving):
        one, other = (tiny.Row(ids, first_target=FIRST) for ids in (said, instead))
        return tiny.loss(tracked, moving, other) - tiny.loss(tracked, moving, one)

    d = continuation_directions(tracked, H, IDS, FIRST, foil, last=last, negligible=0)
    g = tiny.gradient(tracked, contrast)
    solved = tiny.dense_solve(tiny.random_factors(tracked), g)
    found = [block.values[0] for block in d.linear] + [block.values[0] for block in d.embedding]
    for block, truth in zip(found, solved, strict=True):
        torch.testing.assert_close(block, truth, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(d.energy[0], tiny.inner(g, solved).sum(), rtol=1e-5, atol=0)
    losses = [tiny.loss_value(tracked, tiny.Row(ids, first_target=FIRST)) for ids in (said, instead)]
    assert float(d.values[0]) == pytest.approx(losses[1] - losses[0], rel=1e-6)


def test_many_tokens_are_split_into_parts_that_fit(monkeypatch):
    tracked, H = tiny.tiny_engine()
    together = query_directions(tracked, H, IDS, 1)
    monkeypatch.setattr("attribution.query.passes.AT_ONCE", 2)
    apart = query_directions(tracked, H, IDS, 1)
    for one, other in zip(together.linear, apart.linear, strict=True):
        torch.testing.assert_close(one.values, other.values)
    torch.testing.assert_close(together.embedding[0].values, apart.embedding[0].values)


@pytest.mark.parametrize(("first", "last"), [(0, None), (7, None), (5, 5), (-1, None)])
def test_a_span_without_tokens_is_refused(first, last):
    tracked, H = tiny.tiny_engine()
    with pytest.raises(BadInput, match="check the span"):
        query_directions(tracked, H, IDS, first, last=last)


def test_rows_that_matter_are_the_fewest():
    squares = torch.tensor([0.0, 90.0, 0.5, 9.0, 0.5])
    assert rows_that_matter(squares, 0.011**0.5).tolist() == [1, 3]
    assert rows_that_matter(squares, 0.006**0.5).tolist() in ([1, 3, 4], [1, 2, 3])
    assert rows_that_matter(squares, 0).tolist() == [0, 1, 2, 3, 4]


def uneven(tracked, seed, low=-6.0, high=2.0):
    """Curvature whose embedding rows differ by eight orders of magnitude, as those of rare and common tokens do."""
    generator = torch.Generator().manual_seed(seed)
    factors = tiny.random_factors(tracked, seed)
    powers = [torch.empty(len(of), 1, dtype=of.dtype).uniform_(low, high, generator=generator) for of in
              factors.embedding]  # fmt: skip
    return replace(
        factors, embedding=tuple(of * 10**power for of, power in zip(factors.embedding, powers, strict=True))
    )


def loss_by_block(tracked, factors, solved, damping):
    """Of dropping rows of P, what bounds it: ‖P‖_M and, of each document, ‖∇L‖_M⁻¹, block by block of the embedding."""
    n = len(tracked.linear)
    metrics = [of + damping * of.mean() for of in factors.embedding]
    lengths = [float((P * M * P).sum().sqrt()) for P, M in zip(solved[n:], metrics, strict=True)]
    duals = []
    for document in tiny.tiny_documents(12):
        g = tiny.gradient(tracked, lambda moving, of=document: tiny.loss(tracked, moving, of))[n:]
        duals.append([float((each / M * each).sum().sqrt()) for each, M in zip(g, metrics, strict=True)])
    return np.array(lengths), np.array(duals)  # [blocks], [D, blocks]


@pytest.mark.parametrize("kind", ["llama", "llama-untied", "gpt-neox"])
@pytest.mark.parametrize("epsilon", [0.5, 0.1, 1e-2, NEGLIGIBLE])
@pytest.mark.parametrize("n_stages", [1, 2, 3])
def test_dropped_rows_change_no_score_by_more_than_the_bound(kind, epsilon, n_stages):
    """Against dense float64: with and without the rows, for documents of the first of one, two or three stages."""
    models = [track(tiny.tiny_model(kind, seed)) for seed in range(n_stages)]
    factors = [uneven(of, seed) for seed, of in enumerate(models)]
    H = damp(factors[0]) if n_stages == 1 else across_stages(factors)[0]
    asked, trained = models[-1], models[0]
    documents, n_train = tiny.tiny_documents(12), 50
    whole, cut = (query_directions(asked, H, IDS, FIRST, negligible=of) for of in (0, epsilon))
    n_dropped = 0
    for k in range(whole.n):
        query = tiny.Row(IDS[: FIRST + k + 1], first_target=FIRST + k)
        solved = tiny.gradient(asked, lambda moving, of=query: -tiny.loss(asked, moving, of))
        for s in reversed(range(n_stages)):
            solved = tiny.dense_solve(factors[s], solved)
            if s:  # on to the stage before: α times
                alphas = [0.1 * G.diagonal().mean() for G in tiny.dense_curvature(factors[s])]
                solved = tuple(alpha * of for alpha, of in zip(alphas, solved, strict=True))
        lengths, duals = loss_by_block(trained, factors[0], solved, 0.1)
        bound = epsilon * (duals * lengths).sum(axis=1) / n_train  # [D]
        one, other = (
            score_documents(trained, d.of([k]), documents, n_train).values.astype(np.float64).sum(axis=2)[0]
            for d in (whole, cut)
        )
        assert (np.abs(one - other) <= bound + 1e-6 * np.abs(one) + 1e-7 * np.abs(bound).max() / epsilon).all()
        if n_stages == 1:  # as the page shows it: no cosine moves by more than ε
            energies = duals**2
            assert (bound <= epsilon * np.sqrt(float(whole.energy[k]) * energies.sum(axis=1)) / n_train + 1e-9).all()
        n_dropped += sum(int((block.values[k] == 0).all(dim=1).sum()) for block in cut.embedding)
        n_dropped += sum(
            layer.n_out - len(block.rows) for layer, block in zip(asked.embedding, cut.embedding, strict=True)
        )
    assert n_dropped > 0 or epsilon < 0.1


def test_a_row_of_little_energy_that_an_earlier_stage_would_miss_is_kept():
    """An unlikely token that fine-tuning never met, beside others that it met often: of ∇fᵀ P, by which rows were once
    dropped (a millionth of it), it holds less than that, and the score of a pre-training document that is about it
    would have been wrong by a cosine of 0.01 and more."""
    rare, damping, n_train = 1, 1e-9, 50
    pretrained, finetuned = (track(tiny.tiny_model("llama-untied", seed=seed)) for seed in (0, 1))
    with torch.no_grad():  # what is asked about leaves the token a chance of some 1e-5
        hidden = finetuned.loaded.model.base_model(torch.tensor([IDS[:-1]])).last_hidden_state[0, -1]
        finetuned.loaded.model.get_output_embeddings().weight[rare] = -9 * hidden / hidden.square().sum()
    early, late = torch.ones(2, tiny.V, tiny.H, dtype=torch.float64)
    late *= 1e4
    late[rare] = 0
    factors = [
        replace(tiny.random_factors(of, seed), embedding=(fisher, fisher))
        for seed, (of, fisher) in enumerate([(pretrained, early), (finetuned, late)])
    ]
    H = across_stages(factors, alpha=1e-4, damping=damping)[0]
    whole, kept = (query_directions(finetuned, H, IDS, len(IDS) - 1, negligible=of) for of in (0, NEGLIGIBLE))
    looked_up, head = whole.embedding
    P = head.values[0]
    query = tiny.Row(IDS, first_target=len(IDS) - 1)
    g = tiny.gradient(finetuned, lambda moving: -tiny.loss(finetuned, moving, query))[-1]
    by_energy = (g * P).sum(dim=1)
    assert 0 < by_energy[rare] < 1e-6 * by_energy.sum()
    dropped = head.values.clone()
    dropped[:, rare] = 0
    once = whole_rows(head.rows, dropped)
    document = tiny.Row((rare,) * 6)
    scores = [
        float(score_documents(pretrained, d, [document], n_train).values[0, 0, -1])
        for d in (whole, replace(whole, embedding=(looked_up, once)), kept)
    ]
    M = early + damping * early.mean()
    z = tiny.gradient(pretrained, lambda moving: tiny.loss(pretrained, moving, document))[-1]
    cosine = n_train / float((P * M * P).sum().sqrt() * (z / M * z).sum().sqrt())
    assert rare in kept.embedding[1].rows
    assert abs(scores[1] - scores[0]) * cosine > 0.01
    assert abs(scores[2] - scores[0]) * cosine < NEGLIGIBLE


def test_joined_queries_keep_their_rows():
    tracked, H = tiny.tiny_engine()
    parts = [query_directions(tracked, H, ids, 2, negligible=0.2) for ids in (IDS, (0, 8, 8, 10))]
    joined = join_directions(parts)
    assert joined.n == sum(part.n for part in parts)
    start = 0
    for part in parts:
        at = torch.searchsorted(joined.embedding[0].rows, part.embedding[0].rows)
        mine = joined.of(slice(start, start + part.n)).embedding[0].values
        torch.testing.assert_close(mine[:, at], part.embedding[0].values)
        assert float(mine.abs().sum()) == pytest.approx(float(part.embedding[0].values.abs().sum()))
        start += part.n


@pytest.mark.parametrize("memory", [1, 1 << 30])  # a pass for each query, one for all
def test_a_token_against_itself_has_no_gradient_and_no_rows(memory):
    tracked, H = tiny.tiny_engine()
    tracked = tiny.scheduled(tracked, memory=memory)
    made = query_directions(tracked, H, IDS, 2, measurement="contrast", foils=list(IDS[2:]))
    assert made.embedding[0].values.shape == (len(IDS) - 2, 0, tracked.width)
    assert not score_documents(tracked, made, tiny.tiny_documents(), 50).values.any()
