"""What is said of estimators: which size they apply to, what they cost, how they are called."""

from types import SimpleNamespace

import pytest

from dashboard.database.method_names import method_name
from indexer.config.estimator import estimators


def member(checkpoints: int = 0, parent: object = None) -> SimpleNamespace:
    return SimpleNamespace(entry=SimpleNamespace(checkpoints=tuple(range(checkpoints))), parent=parent)


def test_only_the_first_is_stored_by_the_influence_stage() -> None:
    assert [name for name, each in estimators().items() if each.score is None] == ["ekfac"]
    assert next(iter(estimators())) == "ekfac"


@pytest.mark.parametrize(
    ("of", "left_out"),
    [
        (member(checkpoints=2), set()),
        (member(), {"ekfac_checkpoints"}),
        (member(2, parent="a model"), {"ekfac_checkpoints", "tracin", "gradient_dot", "gradient_cosine"}),
    ],
)
def test_what_has_no_meaning_for_a_size_is_left_out(of: SimpleNamespace, left_out: set[str]) -> None:
    known = ("ekfac", "ekfac_checkpoints", "tracin", "gradient_dot", "gradient_cosine", "hidden_cosine", "bm25")
    assert {name for name in known if not estimators()[name].applies(of)} == left_out  # type: ignore[arg-type]


def test_passes_and_fits_are_those_of_the_checkpoints() -> None:
    costs = {name: (each.passes(3), each.fits(3)) for name, each in estimators().items()}
    assert costs["ekfac_checkpoints"] == (4, 3) and costs["tracin"] == (4, 0)
    assert costs["gradient_dot"] == costs["gradient_cosine"] == (1, 0)
    assert costs["hidden_cosine"] == costs["bm25"] == (0, 0)


def test_pages_have_a_name_for_each_and_for_what_evaluation_makes_of_it() -> None:
    labels = [method_name(name) for name in estimators()]
    assert labels == [each.label for each in estimators().values()]
    assert len(set(labels)) == len(labels)
    assert method_name("ekfac, two stages") == "EK-FAC, two stages"
    assert method_name("bm25 / grad_norm").startswith("BM25 ÷")
    assert method_name("of another version") == "of another version"
