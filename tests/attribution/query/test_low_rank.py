import pytest
import torch

from attribution.errors import BadInput
from attribution.query.low_rank import factor, scales, truncated
from attribution.query.solve import query_directions
from tests.attribution import tiny


@pytest.mark.parametrize(("n_out", "n_in"), [(30, 50), (50, 30), (40, 40)])
def test_truncation_is_near_the_best(n_out, n_in):
    generator = torch.Generator().manual_seed(0)
    decay = torch.logspace(0, -3, min(n_out, n_in), dtype=torch.float64)
    U, V = (
        torch.linalg.qr(torch.randn(4, n, len(decay), generator=generator, dtype=torch.float64)).Q
        for n in (n_out, n_in)
    )
    M = (U * decay) @ V.transpose(1, 2)
    left, right = truncated(M, 8)
    best = (decay[8:] ** 2).sum().sqrt()
    for k in range(4):
        assert torch.linalg.norm(M[k] - left[k] @ right[k].T) <= 1.02 * best


def test_rank_of_the_layer_keeps_everything():
    tracked, H = tiny.tiny_engine()
    d = query_directions(tracked, H, (0, 3, 4, 5), 2)
    for P, of in zip((each.values for each in d.linear), factor(d, tiny.random_factors(tracked), 12), strict=True):
        torch.testing.assert_close(torch.stack([each.left @ each.right.T for each in of]), P)


def test_scales_are_the_marginals_of_a_product():
    s, a = torch.tensor([1.0, 4.0]), torch.tensor([9.0, 1.0, 4.0])
    found = scales(s[:, None] * a)
    torch.testing.assert_close(found[0] ** 2 / s, (found[0] ** 2 / s)[:1].expand(2))
    torch.testing.assert_close(found[1] ** 2 / a, (found[1] ** 2 / a)[:1].expand(3))


def test_rank_zero_is_refused():
    tracked, H = tiny.tiny_engine()
    with pytest.raises(BadInput, match="rank"):
        factor(query_directions(tracked, H, (0, 3), 1), tiny.random_factors(tracked), 0)
