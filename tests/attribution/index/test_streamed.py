"""An index on the host, queries on another device: the numbers of one place, and never more than two layers there."""

import torch

from attribution.index import streamed as of
from attribution.index.compress import Compressed
from attribution.index.query import LayerQuery
from attribution.index.scan import estimate
from attribution.index.shards import Shard, products
from attribution.index.streamed import streamed
from tests.attribution.pretend_device import DEVICE, pretend_device

LAYERS, D, OUT, IN, M, K = 5, 4, 6, 3, 16, 2


def bytes_of(*shape: int) -> torch.Tensor:
    return torch.randint(-127, 128, shape, dtype=torch.int8)


def layers(n: int) -> list[Compressed]:
    torch.manual_seed(n)
    document = torch.randint(D, (LAYERS, n)).sort(dim=1).values.int()
    return [Compressed(bytes_of(n, OUT), bytes_of(n, IN), torch.rand(n), each) for each in document]


def queries() -> list[LayerQuery]:
    torch.manual_seed(9)
    return [LayerQuery(bytes_of(OUT, M), bytes_of(IN, M), torch.randn(M, K)) for _ in range(LAYERS)]


def test_the_products_of_an_index_that_stays_on_the_host_are_those_of_one_that_is_there():
    here = queries()
    shards = [Shard(0, D, tuple(layers(n)), torch.zeros(D, 1), torch.zeros(D)) for n in (7, 0, 30)]
    expected = torch.cat([estimate(shard.kept, here, D) for shard in shards]).T  # [K, 3 D]
    with pretend_device():
        there = [LayerQuery(q.left.to(DEVICE), q.right.to(DEVICE), q.mix.to(DEVICE)) for q in here]
        found = products(shards, there, 4)
        assert found.device == DEVICE
        torch.testing.assert_close(found.cpu(), expected)


def test_one_layer_is_read_ahead_and_no_more(monkeypatch):
    read, done = [], []
    monkeypatch.setattr(of, "_read", lambda layer, device: read.append(layer) or [layer.left] * 4)
    kept = layers(3)
    with pretend_device():
        for layer in streamed(kept, DEVICE):
            assert layer.left.device == DEVICE
            done.append(layer)
            assert len(read) <= len(done) + 1
    assert read == kept


def test_on_the_device_of_the_queries_nothing_is_copied():
    kept = layers(3)
    assert all(a is b for a, b in zip(streamed(kept, torch.device("cpu")), kept, strict=True))
    assert list(streamed([], torch.device("cpu"))) == []
