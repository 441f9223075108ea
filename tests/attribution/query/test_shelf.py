"""Directions in a file are the directions: every number that is made of them is the same, bit by bit."""

import gc
import os
import weakref

import numpy as np
import pytest
import torch

from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import token_losses
from attribution.query import shelf
from attribution.query.directions import Directions, join_directions
from attribution.query.shelf import Shelf
from attribution.query.solve import query_directions
from tests.attribution import tiny

SPANS = ((0, 3, 4, 5, 3, 7), (0, 9, 8, 2, 1))


def both(kind, folder, ids=SPANS):
    tracked, H = tiny.tiny_engine(kind)
    made = [query_directions(tracked, H, each, 2) for each in ids]
    on = Shelf(folder)
    for each in made:
        on.add(each)
    return tracked, join_directions(made), on.directions()


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_nothing_depends_on_where_directions_lie(kind, tmp_path):
    tracked, held, read = both(kind, tmp_path)
    documents, own = tiny.tiny_documents(9), [[0, 3, 8]] * held.n
    assert (read.n, read.nbytes) == (held.n, held.nbytes)
    assert torch.equal(read.values, held.values)
    assert torch.equal(read.energy, held.energy)
    one, other = (score_documents(tracked, d, documents, 50).values for d in (held, read))
    np.testing.assert_array_equal(other, one)
    for a, b in zip(*(position_shares(tracked, d, documents, own, 50) for d in (held, read)), strict=True):
        np.testing.assert_array_equal(np.concatenate(b), np.concatenate(a))
    for a, b in zip(*(token_losses(tracked, d, documents, own, 50) for d in (held, read)), strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(y.influences, x.influences)
            np.testing.assert_array_equal(y.label_ids, x.label_ids)


def test_directions_that_are_formed_lie_there_too(tmp_path):
    """As those of a fine-tuned model are, and of texts that are longer than a layer is wide."""
    _, held, _ = both("llama", tmp_path)
    formed = Directions([of.formed() for of in held.linear], held.embedding, held.values, held.energy)
    on = Shelf(tmp_path)
    on.add(formed)
    for one, other in zip(formed.linear, on.directions().linear, strict=True):
        assert torch.equal(one.values, other.values)


def test_the_file_is_nowhere_and_goes_with_its_directions(tmp_path):
    _, _, read = both("llama", tmp_path)
    layer = read.linear[1]
    assert not list(tmp_path.iterdir())
    file = weakref.ref(read.linear._file)  # noqa: SLF001
    descriptor = file().of.fileno()
    del read
    gc.collect()
    assert file() is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert torch.isfinite(layer.values).all()  # what was read stays as it is


def test_there_is_no_room_where_nothing_can_be_written(tmp_path, monkeypatch):
    assert 0 < shelf.room(tmp_path) <= shelf.MOST
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert shelf.room(tmp_path) == 0
