import pytest
import torch

from attribution.index.triplets import thin_svd


def tokens(T: int, n_out: int, n_in: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    decay = 0.5 ** torch.arange(T, dtype=torch.float64)[:, None]
    return (
        decay * torch.randn(T, n_out, generator=generator, dtype=torch.float64),
        torch.randn(T, n_in, generator=generator, dtype=torch.float64),
    )


def test_the_triplets_are_those_of_the_dense_gradient():
    deltas, inputs = tokens(12, 20, 30)
    X, Y, energy = thin_svd(deltas @ deltas.T, inputs @ inputs.T, 4)
    U, S, Vh = torch.linalg.svd(deltas.T @ inputs)
    torch.testing.assert_close(energy[:3], S[:3] ** 2, rtol=1e-3, atol=0)
    found = (deltas.T @ X[:, :3]) @ (inputs.T @ Y[:, :3]).T
    best = U[:, :3] @ torch.diag(S[:3]) @ Vh[:3]
    assert float((found - best).norm() / best.norm()) < 0.02


def test_full_rank_is_the_whole_gradient():
    deltas, inputs = tokens(5, 20, 30)
    X, Y, energy = thin_svd(deltas @ deltas.T, inputs @ inputs.T, 8)
    torch.testing.assert_close((deltas.T @ X) @ (inputs.T @ Y).T, deltas.T @ inputs, rtol=1e-3, atol=1e-4)
    assert float(energy.sum()) == pytest.approx(float((deltas.T @ inputs).square().sum()), rel=1e-3)


def test_left_vectors_have_length_one_and_batches_do_not_mix():
    one, other = tokens(6, 9, 7), tokens(6, 9, 7, seed=1)
    together = [torch.stack([a @ a.T, b @ b.T]) for a, b in zip(one, other, strict=True)]
    X, _, energy = thin_svd(*together, 3)
    alone = thin_svd(other[0] @ other[0].T, other[1] @ other[1].T, 3)
    torch.testing.assert_close(energy[1], alone[2])
    torch.testing.assert_close((one[0].T @ X[0]).norm(dim=0), torch.ones(3, dtype=torch.float64), rtol=1e-3, atol=1e-3)


def test_a_document_without_gradient_has_no_energy():
    zero = torch.zeros(4, 4)
    assert thin_svd(zero, zero, 2)[2].tolist() == [0, 0]


def test_a_document_that_repeats_one_token_has_one_direction():
    """Rounding leaves the Gram matrix of equal tokens a little indefinite."""
    generator = torch.Generator().manual_seed(2)
    for T, n in ((40, 64), (300, 64), (300, 512)):
        delta, a = torch.randn(n, generator=generator) * 30, torch.randn(n, generator=generator) * 50
        noise = 1 + 1e-7 * torch.randn(T, 1, generator=generator)
        deltas, inputs = delta * noise, a.expand(T, n)
        X, Y, energy = thin_svd(deltas @ deltas.T, inputs @ inputs.T, 4)
        dense = deltas.T @ inputs
        found = (deltas.T @ X) @ (inputs.T @ Y).T
        assert float((found - dense).norm() / dense.norm()) < 1e-3
        assert float(energy.sum()) == pytest.approx(float(dense.square().sum()), rel=1e-2)
