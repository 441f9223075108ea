import numpy as np

from attribution.groups.estimated import estimated_sums


def drawn(rng, D=4000, noise=0.5):
    estimates = rng.normal(size=(1, D))
    return estimates, 0.2 + 1.3 * estimates + rng.normal(0, noise, size=(1, D))


def test_sums_are_met_as_often_as_their_errors_say():
    rng = np.random.default_rng(0)
    off = []
    for _ in range(1500):
        estimates, exact = drawn(rng)
        sample = rng.choice(4000, size=100, replace=False)
        group = np.zeros(4000, dtype=bool)
        group[rng.choice(4000, size=500, replace=False)] = True
        values, errors = estimated_sums(
            estimates[:, sample],
            exact[:, sample],
            estimates[:, group].sum(1, keepdims=True),
            np.array([500.0]),
            group[None, sample],
        )
        off.append(((values - exact[:, group].sum()) / errors).item())
    assert 0.93 < np.std(off) < 1.07
    assert abs(np.mean(off)) < 0.1


def test_a_group_that_is_all_sampled_is_exact_and_lines_have_no_error():
    rng = np.random.default_rng(1)
    estimates, exact = drawn(rng, 50)
    members = np.array([[True] * 10 + [False] * 20, [False] * 30])
    totals = np.stack([estimates[0, :10].sum(), estimates[0, 30:].sum()])[None]
    sample = slice(0, 30)
    values, errors = estimated_sums(estimates[:, sample], exact[:, sample], totals, np.array([10.0, 20.0]), members)
    np.testing.assert_allclose(values[0, 0], exact[0, :10].sum())
    assert errors[0, 0] == 0 < errors[0, 1]
    line = 3 + 2 * estimates
    values, errors = estimated_sums(estimates[:, sample], line[:, sample], totals, np.array([10.0, 20.0]), members)
    np.testing.assert_allclose(values[0], [line[0, :10].sum(), line[0, 30:].sum()])
    np.testing.assert_allclose(errors, 0, atol=1e-6)


def test_a_sample_that_is_too_small_says_so():
    one = np.ones((1, 1))
    members = np.array([[True], [False]])
    values, errors = estimated_sums(one, 2 * one, np.array([[1.0, 5.0]]), np.array([1.0, 5.0]), members)
    np.testing.assert_allclose(values, [[2.0, 5.0]])
    assert errors[0, 0] == 0
    assert np.isnan(errors[0, 1])
