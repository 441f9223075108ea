from collections import defaultdict

import numpy as np
import pytest
import torch

from attribution.components import taught as module
from attribution.components.taught import strongest, taught
from attribution.components.units import Units, units
from attribution.curvature.blocks import no_curvature
from attribution.exact.meeting import meeting, tokens_of
from attribution.exact.owned import add_owned
from attribution.exact.scores import score_documents, waves
from attribution.exact.shares import position_shares
from attribution.influence import influence
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row
from attribution.query.directions import Directions, join_directions
from attribution.query.settled import settled
from attribution.query.solve import query_directions
from tests.attribution import tiny, tiny_pairs
from tests.attribution.components.owned_by_hand import BIAS, masks

N = 50
IDS = (0, 3, 4, 5, 3, 7)
MANY = tiny.GATED | {"num_attention_heads": 4, "num_key_value_heads": 2}
KINDS = {
    "llama": (2, 1),
    "llama-untied": (2, 1),
    "grouped": (4, 2),
    "gpt2": (2, 2),
    "qwen2": (2, 1),
    "gpt-neox": (2, 2),
    "neox-of-four": (4, 4),
    "gemma": (2, 1),
    "gemma3": (2, 1),
}


@pytest.fixture(autouse=True)
def more_heads(monkeypatch):
    monkeypatch.setitem(tiny.CONFIGS, "grouped", tiny.made("llama", **MANY, attention_bias=True, mlp_bias=True))
    four = tiny.made("gpt_neox", **tiny.SIZE | {"num_attention_heads": 4}, intermediate_size=12)
    monkeypatch.setitem(tiny.CONFIGS, "neox-of-four", four)


def components(tracked: Tracked, directions: Directions, documents: list[Row], of: Units) -> np.ndarray:
    """Of every pair, all components  # [Q, D, n] nats"""
    found = np.full((directions.n, len(documents), of.n), np.nan)
    for passes in waves(tracked, documents):
        members = np.array([i for captured in passes for i in captured.batch.members])
        tokens = tokens_of(passes)
        met = meeting(tokens, np.ones((directions.n, len(members)), dtype=bool))
        shares = tracked.zeros(len(tracked.linear), int(met.starts[-1]))
        sums = add_owned(shares, tracked, directions, tokens, met, of.owned)
        found[met.queries, members[met.documents]] = influence(sums, N).numpy()
    assert np.isfinite(found).all()
    return found


def number(of: Units, component: tuple[str, int, int]) -> int:
    kind, depth, i = component
    if component == BIAS:
        return of.bias
    start, each = {
        "head": (of.heads.start, of.n_heads),
        "kv_head": (of.kv_heads.start, of.n_kv_heads),
        "neuron": (of.neurons.start, of.n_neurons),
    }[kind]
    return start + depth * each + i


@pytest.mark.parametrize("kind", KINDS)
def test_components_are_the_dense_ones_and_add_up_to_every_layer(kind):
    tracked, H = tiny.tiny_engine(kind)
    of = units(tracked)
    documents = tiny.tiny_documents(6)
    assert any(each.windows for each in documents) and any(each.learned for each in documents)
    d = query_directions(tracked, H, IDS, 4, negligible=0)
    found = components(tracked, d, documents, of)
    by_layer = score_documents(tracked, d, documents, N).values
    by_hand = [masks(tracked, layer, *KINDS[kind]) for layer in tracked.linear]
    for layer, own in zip(tracked.linear, by_hand, strict=True):  # every number is one component's
        assert torch.equal(sum(own.values()), torch.ones(layer.n_out, layer.n_in))
    for q, at in enumerate((4, 5)):
        query = Row(IDS[: at + 1], first_target=at)
        f = tiny.gradient(tracked, lambda moving, of=query: -tiny.loss(tracked, moving, of))
        solved = tiny.dense_solve(tiny.random_factors(tracked), f)
        for i, document in enumerate(documents):
            g = tiny.gradient(tracked, lambda moving, of=document: tiny.loss(tracked, moving, of))
            expected: dict[tuple[str, int, int], float] = defaultdict(float)
            for n, own in enumerate(by_hand):
                entries = -solved[n] * g[n] / N
                parts = {component: float((entries * mask).sum()) for component, mask in own.items()}
                np.testing.assert_allclose(sum(parts.values()), by_layer[q, i, n], rtol=1e-5, atol=1e-9)
                for component, value in parts.items():
                    expected[component] += value
            everything = np.zeros(of.n)
            for component, value in expected.items():
                everything[number(of, component)] += value
            np.testing.assert_allclose(found[q, i], everything, rtol=1e-5, atol=1e-9)
            linear = by_layer[q, i, : len(tracked.linear)].sum(dtype=np.float64)
            np.testing.assert_allclose(found[q, i].sum(), linear, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", ["grouped", "gpt2"])
def test_of_preference_pairs_too(kind):
    tracked, H = tiny.tiny_engine(kind)
    of = units(tracked)
    reference = track(tiny.tiny_model(kind, 1))
    documents = tiny_pairs.pairs(tracked, reference, 3)
    d = query_directions(tracked, H, IDS, 5, negligible=0)
    found = components(tracked, d, documents, of)
    for i, document in enumerate(documents):
        g = tiny_pairs.gradient(tracked, reference, document)
        expected = np.zeros(of.n)
        for n, layer in enumerate(tracked.linear):
            for component, mask in masks(tracked, layer, *KINDS[kind]).items():
                P = d.linear[n].values[0]
                expected[number(of, component)] += float(-(P * g[n] * mask).sum() / N)
        np.testing.assert_allclose(found[0, i], expected, rtol=1e-5, atol=1e-9)


def test_however_directions_are_kept_and_turned():
    tracked, H = tiny.tiny_engine("grouped")
    of = units(tracked)
    few, many = tiny.tiny_documents(1), tiny.tiny_documents(40)
    d = query_directions(tracked, H, IDS, 3)
    assert all(each.basis is not None for each in d.linear)
    formed = settled(tracked, d, 1)
    plain = settled(tracked, d, 10**9)
    assert all(each.basis is None for each in plain.linear)
    assert all(each.basis is not None for each in formed.linear)
    for documents in (few, many):  # tokens are turned, and directions are
        expected = components(tracked, plain, documents, of)
        for other in (d, formed):
            np.testing.assert_allclose(components(tracked, other, documents, of), expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(components(tracked, d, many[:1], of), components(tracked, d, many, of)[:, :1])


def test_without_curvature():
    tracked, _ = tiny.tiny_engine()
    of = units(tracked)
    documents = tiny.tiny_documents(4)
    d = query_directions(tracked, no_curvature(tracked), IDS, 4)
    linear = score_documents(tracked, d, documents, N).values[:, :, : len(tracked.linear)].sum(axis=2)
    np.testing.assert_allclose(components(tracked, d, documents, of).sum(axis=2), linear, rtol=1e-5, atol=1e-8)


def everything(split: module.Split, of: Units) -> dict[tuple[int, int], np.ndarray]:
    """Components with the rest of the neurons, to compare."""
    return {
        pair: np.concatenate([own.heads, own.kv_heads, own.neuron_scores, [own.neuron_rest, own.bias]])
        for pair, own in split.taught.items()
    }


def test_nothing_depends_on_batches_order_memory_or_other_queries():
    tracked, H = tiny.tiny_engine("grouped")
    of = units(tracked)
    documents = tiny.tiny_documents(23)
    d = query_directions(tracked, H, IDS, 2)
    own = [[0, 3, 5], [22], [], [1, 3, 5, 9]]
    found = taught(tracked, d, documents, own, N, of, unknown=own)
    expected = everything(found, of)
    assert set(expected) == {(q, i) for q, some in enumerate(own) for i in some}

    def same(split: module.Split, queries: int = 0, place=lambda i: i) -> None:
        again = everything(split, of)
        assert len(again) == len(expected)
        for (q, i), value in expected.items():
            pair = q + queries, place(i)
            np.testing.assert_allclose(again[pair], value, rtol=1e-5, atol=1e-9)
            np.testing.assert_array_equal(split.taught[pair].neurons, found.taught[q, i].neurons)
            np.testing.assert_allclose(split.shares[pair], found.shares[q, i], rtol=1e-5, atol=1e-9)

    backwards = [[22 - i for i in reversed(some)] for some in own]
    same(taught(tracked, d, documents[::-1], backwards, N, of, unknown=backwards), place=lambda i: 22 - i)
    crowd = join_directions([query_directions(tracked, H, (0, 9, 8, 2, 1), 1), d])
    same(taught(tracked, crowd, documents, [[]] * 4 + own, N, of, unknown=[[]] * 4 + own), 4)
    for sizes in ({"memory": 1, "cached": 16, "tokens": 9}, {"memory": 1 << 40, "tokens": 10**6}):
        other = tiny.scheduled(tracked, **sizes)
        same(taught(other, d, documents, own, N, of, unknown=own))


def test_little_memory_splits_few_pairs_at_once(monkeypatch):
    tracked, H = tiny.tiny_engine()
    of = units(tracked)
    d = query_directions(tracked, H, IDS, 2)
    own = [[0, 1, 2], [0, 1], [2], [1, 2]]
    seen = []

    def counted(out, tracked, directions, tokens, met, owned):
        seen.append(len(met.queries))
        return add_owned(out, tracked, directions, tokens, met, owned)

    monkeypatch.setattr(module, "add_owned", counted)
    pair = of.n * 8
    tokens = 10**6
    for pairs, expected in ((100, [8]), (5, [5, 3]), (1, [3, 2, 1, 2])):
        seen.clear()
        monkeypatch.setattr(module, "HELD", 1.0)
        room = tiny.scheduled(tracked, tokens=tokens, memory=1 << 40)
        fits = pairs * pair
        monkeypatch.setattr(type(room.schedule), "fits", lambda self, each, part=1.0, fits=fits: fits // each)
        taught(room, d, tiny.tiny_documents(3), own, N, of)
        assert seen == expected


def test_shares_come_along_where_they_are_not_known():
    tracked, H = tiny.tiny_engine("llama-untied")
    of = units(tracked)
    documents = tiny.tiny_documents(9)
    d = query_directions(tracked, H, IDS, 4)
    own, unknown = [[6, 0, 3, 8], [1, 7, 2]], [[3, 8], [7]]
    expected = position_shares(tracked, d, documents, unknown, N)
    found = taught(tracked, d, documents, own, N, of, unknown=unknown)
    assert set(found.shares) == {(0, 3), (0, 8), (1, 7)}
    for q, some in enumerate(unknown):
        for i, share in zip(some, expected[q], strict=True):
            np.testing.assert_allclose(found.shares[q, i], share.sum(axis=1), rtol=1e-5, atol=1e-9)
    assert taught(tracked, d, documents, own, N, of).shares == {}


def test_what_is_kept_of_a_pair_adds_up_to_its_linear_layers():
    tracked, H = tiny.tiny_engine("gpt2")
    of = units(tracked)
    documents = tiny.tiny_documents(5)
    d = query_directions(tracked, H, IDS, 5)
    whole = components(tracked, d, documents, of)[0]
    linear = score_documents(tracked, d, documents, N).values[0, :, : len(tracked.linear)].sum(axis=1)
    counted = []
    found = taught(tracked, d, documents, [range(5)], N, of, most=3, tick=counted.append)
    assert sum(counted) == 5
    for i in range(5):
        own = found.taught[0, i]
        np.testing.assert_allclose(own.heads, whole[i, of.heads], rtol=1e-5)
        np.testing.assert_allclose(own.kv_heads, whole[i, of.kv_heads], rtol=1e-5)
        neurons = whole[i, of.neurons]
        assert own.neurons.tolist() == np.argsort(-np.abs(neurons))[:3].tolist()
        np.testing.assert_allclose(own.neuron_scores, neurons[own.neurons], rtol=1e-5)
        assert own.neuron_rest == pytest.approx(np.delete(neurons, own.neurons).sum(), rel=1e-5, abs=1e-9)
        assert own.bias == pytest.approx(whole[i, of.bias], rel=1e-5)
        assert own.bias != 0
        assert own.total == pytest.approx(linear[i], rel=1e-5, abs=1e-8)


def test_the_strongest_hold_nine_tenths_or_are_as_many_as_are_kept():
    assert strongest(np.array([1.0, -6.0, 0.5, 3.0])).tolist() == [1, 3, 0]
    assert strongest(np.array([0.4, -6.0, 0.6, 3.0])).tolist() == [1, 3]
    assert strongest(np.array([1.0, -6.0, 0.5, 3.0]), most=1).tolist() == [1]
    assert strongest(np.array([2.0, -2.0, 2.0])).tolist() == [0, 1, 2]
    assert strongest(np.zeros(4)).tolist() == []
    assert strongest(np.ones(4), most=0).tolist() == []
    drawn = np.random.default_rng(0).standard_normal(1000)
    assert strongest(drawn).tolist() == np.argsort(-np.abs(drawn))[:20].tolist()
    kept = strongest(drawn, most=1000)
    size = np.abs(drawn)
    assert size[kept].sum() >= 0.9 * size.sum() > size[kept[:-1]].sum()
