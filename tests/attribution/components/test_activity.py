"""What a pass tells of components against every document read alone, without padding."""

import numpy as np
import pytest
import torch

from attribution.components import activity
from attribution.components.activity import COUNTED, LOW, N_BINS, Watch, bin_of, edges
from attribution.components.baseline import no_sums
from attribution.components.stream import into_stream
from attribution.model.tracked import track
from attribution.passes.batches import Row, batches
from attribution.passes.capture import capture
from tests.attribution import tiny
from tests.attribution.components.opened import KINDS, opened

DOCUMENTS = tiny.tiny_documents(15)
MOST = 3


def watched(tracked, units, documents=DOCUMENTS, numbers=None, tokens=64, n_tokens=1):
    numbers = range(len(documents)) if numbers is None else numbers
    watch = Watch(tracked, units, n_tokens, MOST)
    for batch in batches(documents, tracked.loaded.context, tracked.device, tokens):
        watch.add(capture(tracked, batch), [numbers[i] for i in batch.members])
    return watch.activity


def alone(tracked, units, document: Row):
    """What components did at all tokens of a document, each window read alone: z, a of each block  # [T, n]"""
    seen = {name: [] for name in (*units.heads_into, *units.neurons_into)}
    hooks = [
        tracked.loaded.model.get_submodule(name).register_forward_pre_hook(
            lambda _m, args, name=name: seen[name].append(args[0][0].detach())
        )
        for name in seen
    ]
    start = 0
    for width in document.widths:
        with torch.no_grad():
            tracked.loaded.model(input_ids=torch.tensor([document.ids[start : start + width]]), use_cache=False)
        start += width
    for hook in hooks:
        hook.remove()
    return {name: torch.cat(parts).numpy() for name, parts in seen.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_baseline_contexts_and_histograms_are_those_of_documents_read_alone(kind):
    tracked, units, _ = opened(kind)
    found = watched(tracked, units)
    read = [alone(tracked, units, document) for document in DOCUMENTS]
    assert found.sums.n == sum(len(each.ids) for each in DOCUMENTS)
    mean = found.sums.mean(tracked)
    for depth in range(units.n_blocks):
        heads, neurons = units.heads_into[depth], units.neurons_into[depth]
        z, a = (np.concatenate([each[name] for each in read]) for name in (heads, neurons))
        np.testing.assert_allclose(mean.heads[depth], z.mean(0), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(mean.neurons[depth], a.mean(0), rtol=1e-5, atol=1e-7)
        weight = into_stream(tracked, heads)[0].numpy()
        for h in range(units.n_heads):
            mine = slice(h * units.head_width, (h + 1) * units.head_width)
            lengths = [np.linalg.norm(each[heads][:, mine] @ weight[:, mine].T, axis=1) for each in read]
            firsts(found.heads[depth], h, lengths)
        for j in range(units.n_neurons):
            firsts(found.neurons[depth], j, [each[neurons][:, j] for each in read])
            counts, _ = np.histogram(a[:, j], edges().numpy())
            np.testing.assert_array_equal(found.counts[depth, j], counts)


def firsts(contexts, j, by_document):
    """Of values that are equal but for rounding any may be first."""
    want = sorted((np.abs(values).max() for values in by_document), reverse=True)[:MOST]
    documents, positions = contexts.documents[j].tolist(), contexts.positions[j].tolist()
    assert len(set(documents)) == MOST
    np.testing.assert_allclose(contexts.values[j].abs(), want, rtol=1e-5)
    there = [by_document[d][t] for d, t in zip(documents, positions, strict=True)]
    np.testing.assert_allclose(contexts.values[j], there, rtol=1e-5)


@pytest.mark.parametrize("n_tokens", [1, 3 * COUNTED])
def test_neither_batch_nor_order_nor_parts_change_anything(n_tokens):
    tracked, units, _ = opened("llama")
    want = watched(tracked, units, n_tokens=n_tokens).tensors()
    order = np.random.default_rng(0).permutation(15).tolist()
    turned = watched(tracked, units, [DOCUMENTS[i] for i in order], order, tokens=8, n_tokens=n_tokens)
    parts = [
        watched(tracked, units, [DOCUMENTS[i] for i in some], some, n_tokens=n_tokens)
        for some in (order[:4], order[4:])
    ]
    reopened = activity.stored(parts[1].plus(parts[0]).tensors())
    for found in (turned.tensors(), parts[0].plus(parts[1]).tensors(), reopened.tensors()):
        assert found.keys() == want.keys()
        for name, of in want.items():
            torch.testing.assert_close(found[name], of, rtol=1e-6, atol=1e-9)


def test_of_a_large_corpus_every_nth_token_is_counted():
    tracked, units, _ = opened("gpt2")
    some = watched(tracked, units, n_tokens=3 * COUNTED).counts
    n = sum(1 for d, each in enumerate(DOCUMENTS) for t in range(len(each.ids)) if (d + t) % 3 == 0)
    assert (some.sum(-1) == n).all()
    assert (some <= watched(tracked, units).counts).all()


def test_a_document_that_overflows_is_left_out():
    tracked = track(tiny.tiny_model("gpt2"), embedding=False)
    with torch.no_grad():
        tracked.loaded.model.transformer.wte.weight[10] = torch.inf
    units = opened("gpt2")[1]
    documents = [Row((1, 2, 3)), Row((1, 10, 3)), Row((4, 5))]
    found = watched(tracked, units, documents)
    want = watched(tracked, units, [documents[0], documents[2]], [0, 2])
    for name, of in want.tensors().items():
        torch.testing.assert_close(found.tensors()[name], of, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_number_lies_between_the_edges_of_its_bin(dtype):
    inner = torch.cat([torch.logspace(LOW - 3, 15, 200, base=2), 2.0 ** torch.arange(LOW, 16)]).to(dtype)
    x = torch.cat([inner, -inner, torch.zeros(1, dtype=dtype)])
    found, at = bin_of(x), edges()
    assert len(at) == N_BINS + 1 and (at.diff() > 0).all()
    assert ((at[found] <= x) & (x <= at[found + 1])).all()
    positive = x > 0
    assert (x[positive] < at[found[positive] + 1]).all()
    assert bin_of(torch.tensor([1e9, -1e9, 0.0])).tolist() == [N_BINS - 1, 0, N_BINS // 2]


def test_of_no_token_the_mean_is_zero():
    tracked, units, _ = opened("llama")
    mean = no_sums(units).mean(tracked)
    assert not mean.heads.any() and not mean.neurons.any()
