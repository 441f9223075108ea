"""Whether directions are formed or turned back changes no score, and is decided by memory and work."""

import numpy as np
import pytest

from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import token_losses
from attribution.query.directions import join_directions
from attribution.query.passes import at_once
from attribution.query.settled import HELD, settled
from attribution.query.solve import bytes_of_query, query_directions
from tests.attribution import tiny

IDS = (0, 3, 4, 5, 3, 7)


@pytest.mark.parametrize(
    ("memory", "n_tokens", "is_whole", "is_plain"),
    [(1, 10**6, False, False), (2**40, 10**6, True, True), (2**40, 1, True, False)],
)
def test_every_way_gives_the_same(memory, n_tokens, is_whole, is_plain):
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(9)
    kept = join_directions([query_directions(tracked, H, ids, 2) for ids in (IDS, (0, 9, 8, 2, 1))])
    made = settled(tiny.scheduled(tracked, memory=memory), kept, n_tokens)
    assert all((type(part).__name__ == "Whole") == is_whole for of in made.linear for part in of.parts)
    assert all((of.basis is None) == is_plain for of in made.linear)
    one, other = (score_documents(tracked, d, documents, 50).values for d in (kept, made))
    np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-9)
    own = [[0, 3, 8]] * kept.n
    for a, b in zip(*(position_shares(tracked, d, documents, own, 50) for d in (kept, made)), strict=True):
        np.testing.assert_allclose(np.concatenate(b), np.concatenate(a), rtol=1e-6, atol=1e-9)
    for a, b in zip(*(token_losses(tracked, d, documents, own, 50) for d in (kept, made)), strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(y.influences, x.influences, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
@pytest.mark.parametrize("n_tokens", [5, 60])
def test_the_size_of_a_direction_is_known_before_it_is_made(kind, n_tokens):
    tracked, H = tiny.tiny_engine(kind)
    ids = (IDS * 20)[: min(n_tokens, tiny.CONTEXT)]
    made = query_directions(tracked, H, ids, 1, negligible=0)
    together = min(made.n, at_once(tracked, len(ids)))
    expected = made.n * bytes_of_query(tracked, H, len(ids), together) * 2  # of float64
    assert 0.6 * expected < made.nbytes < 1.1 * expected


def test_what_is_held_beside_counts():
    tracked, H = tiny.tiny_engine()
    kept = query_directions(tracked, H, IDS, 2)
    tracked = tiny.scheduled(tracked, memory=int(4 * 1.5 * kept.n * tracked.n_linear / HELD))
    assert settled(tracked, kept, 1) is not kept
    assert settled(tracked, kept, 1, 2) is kept


def test_tokens_that_would_be_turned_back_to_be_split_speak_for_turning_directions():
    tracked, H = tiny.tiny_engine()
    kept = query_directions(tracked, H, IDS, 2)
    back = kept.n * sum(of.n_out * of.n_in * (of.n_out + of.n_in) for of in tracked.linear)
    split = sum(max(of.n_out, of.n_in) ** 2 for of in tracked.linear)
    for n_split, is_plain in ((0, False), (back // split, False), (back // split + 1, True)):
        made = settled(tracked, kept, 0, n_split=n_split)
        assert all((of.basis is None) == is_plain for of in made.linear)
