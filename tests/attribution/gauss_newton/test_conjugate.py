import torch

from attribution.gauss_newton.conjugate import conjugate_gradients
from attribution.gauss_newton.vectors import Vectors

N = 12


def _matrix(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    half = torch.randn(N, N, generator=generator, dtype=torch.float64)
    return half @ half.T + 0.1 * torch.eye(N, dtype=torch.float64)


def _times(A: torch.Tensor):
    def product(v: Vectors) -> Vectors:
        rows = torch.cat([x.flatten(1) for x in v.blocks], dim=1) @ A
        return Vectors((rows[:, :6].reshape(-1, 2, 3), rows[:, 6:].reshape(-1, 3, 2)))

    return product


def _right_hand_sides(n: int) -> Vectors:
    generator = torch.Generator().manual_seed(3)
    rows = torch.randn(3, N, generator=generator, dtype=torch.float64)[:n]
    return Vectors((rows[:, :6].reshape(-1, 2, 3).clone(), rows[:, 6:].reshape(-1, 3, 2).clone()))


def _rows(v: Vectors) -> torch.Tensor:
    return torch.cat([x.flatten(1) for x in v.blocks], dim=1)


def test_as_many_steps_as_numbers_solve_it():
    A, M = _matrix(0), _matrix(1)
    b = _rows(_right_hand_sides(3))
    found = conjugate_gradients(_times(A), _times(torch.linalg.inv(M)), _right_hand_sides(3), N + 4, 1e-12)
    expected = torch.linalg.solve(A, b.T).T
    torch.testing.assert_close(_rows(found.x), expected)
    torch.testing.assert_close(found.products, (b * expected).sum(dim=1))
    assert float(found.residual.max()) < 1e-6


def test_every_step_comes_nearer_in_the_energy_norm_and_the_residual_is_true():
    A, M = _matrix(0), _matrix(1)
    b = _rows(_right_hand_sides(2))
    exact = torch.linalg.solve(A, b.T).T
    before = torch.full((2,), torch.inf, dtype=torch.float64)
    for steps in range(1, 6):
        found = conjugate_gradients(_times(A), _times(torch.linalg.inv(M)), _right_hand_sides(2), steps)
        error = _rows(found.x) - exact
        now = ((error @ A) * error).sum(dim=1)
        assert bool((now < before).all())
        before = now
        true = (b - _rows(found.x) @ A).norm(dim=1) / b.norm(dim=1)
        torch.testing.assert_close(found.residual, true)
        torch.testing.assert_close(found.products, (b * _rows(found.x)).sum(dim=1))


def test_one_step_is_the_preconditioner_times_a_number():
    A, M = _matrix(0), _matrix(1)
    b = _rows(_right_hand_sides(2))
    found = _rows(conjugate_gradients(_times(A), _times(torch.linalg.inv(M)), _right_hand_sides(2), 1).x)
    torch.testing.assert_close(
        torch.nn.functional.cosine_similarity(found, torch.linalg.solve(M, b.T).T), found.new_ones(2)
    )


def test_one_that_is_solved_waits_and_none_minds_the_others():
    A = _matrix(0)
    calls = []

    def counted(v: Vectors) -> Vectors:
        calls.append(v.n)
        return _times(A)(v)

    both = _right_hand_sides(2)
    for x in both.blocks:
        x[1] = 0
    exact = _times(torch.linalg.inv(A))
    found = conjugate_gradients(counted, exact, both, 50)
    assert calls == [2]  # with the exact inverse one step is enough
    assert found.residual.tolist()[1] == 0 and not _rows(found.x)[1].any()
    apart = conjugate_gradients(_times(A), _times(torch.eye(N, dtype=torch.float64)), _right_hand_sides(1), 4)
    together = conjugate_gradients(_times(A), _times(torch.eye(N, dtype=torch.float64)), _right_hand_sides(2), 4)
    torch.testing.assert_close(_rows(together.x)[:1], _rows(apart.x))
