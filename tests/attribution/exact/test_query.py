import pytest
import torch

from attribution.errors import BadInput
from attribution.exact.directions import combine, join_directions
from attribution.exact.query import continuation_directions, query_directions, rows_that_matter
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
        found = [block[k] for block in d.linear] + [block.values[k] for block in d.embedding]
        for layer, block, truth in zip(tracked.layers, found, solved, strict=True):
            torch.testing.assert_close(block, truth, rtol=1e-5, atol=1e-9, msg=lambda m, n=layer.name: f"{n}: {m}")
        torch.testing.assert_close(d.energy[k], tiny.inner(g, solved).sum(), rtol=1e-5, atol=0)
        torch.testing.assert_close(d.values[k], torch.tensor(-tiny.loss_value(tracked, document)).double())


def test_a_span_is_the_mean_of_its_tokens():
    tracked, H = tiny.tiny_engine()
    each = query_directions(tracked, H, IDS, FIRST, negligible=0)
    span = query_directions(tracked, H, IDS, FIRST, measurement="mean_logp", negligible=0)
    mean = combine([each], [1 / each.n] * each.n)
    for found, truth in zip(span.linear, mean.linear, strict=True):
        torch.testing.assert_close(found, truth, **FLOAT32)
    torch.testing.assert_close(span.embedding[0].values, mean.embedding[0].values, **FLOAT32)


def test_a_contrast_is_the_difference_of_two_tokens():
    tracked, H = tiny.tiny_engine()
    foil = 6
    contrast = query_directions(tracked, H, IDS, 6, measurement="contrast", foils=[foil], negligible=0)
    pair = [query_directions(tracked, H, (*IDS[:6], y), 6, negligible=0) for y in (IDS[6], foil)]
    for found, (one, other) in zip(contrast.linear, zip(*(of.linear for of in pair), strict=True), strict=True):
        torch.testing.assert_close(found, one - other, **FLOAT32)


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
    found = [block[0] for block in d.linear] + [block.values[0] for block in d.embedding]
    for block, truth in zip(found, solved, strict=True):
        torch.testing.assert_close(block, truth, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(d.energy[0], tiny.inner(g, solved).sum(), rtol=1e-5, atol=0)
    losses = [tiny.loss_value(tracked, tiny.Row(ids, first_target=FIRST)) for ids in (said, instead)]
    assert float(d.values[0]) == pytest.approx(losses[1] - losses[0], rel=1e-6)


def test_many_tokens_are_split_into_parts_that_fit(monkeypatch):
    tracked, H = tiny.tiny_engine()
    together = query_directions(tracked, H, IDS, 1)
    monkeypatch.setattr("attribution.exact.query.AT_ONCE", 2)
    apart = query_directions(tracked, H, IDS, 1)
    for one, other in zip(together.linear, apart.linear, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(together.embedding[0].values, apart.embedding[0].values)


@pytest.mark.parametrize(("first", "last"), [(0, None), (7, None), (5, 5), (-1, None)])
def test_a_span_without_tokens_is_refused(first, last):
    tracked, H = tiny.tiny_engine()
    with pytest.raises(BadInput, match="check the span"):
        query_directions(tracked, H, IDS, first, last=last)


def test_rows_that_matter_are_the_fewest():
    energy = torch.tensor([0.0, 90.0, 0.5, 9.0, 0.5])
    assert rows_that_matter(energy, 0.011).tolist() == [1, 3]
    assert rows_that_matter(energy, 0.006).tolist() == [1, 3, 4] or rows_that_matter(energy, 0.006).tolist() == [
        1,
        2,
        3,
    ]
    assert rows_that_matter(energy, 0).tolist() == [0, 1, 2, 3, 4]


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
