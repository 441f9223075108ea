"""What is told of a run, from its row."""

import json

from dashboard.database.records import Run
from dashboard.widgets.about_run import of_run

SETTINGS = {"factors": {"documents": 600, "eigenvalue_documents": 100}, "n_train": 6461}


def told(settings):
    return dict(of_run(Run("r1", "m1", "ekfac", 0.1, json.dumps(settings), 9.0, "cpu")))


def test_coverage_of_the_embedding_is_told_where_it_was_counted():
    found = told(SETTINGS | {"coverage": {"rows": 4096, "met": 4001, "sampled": 0.875}})
    assert found["Embedding"] == (
        "4,001 of 4,096 rows belong to tokens of the training; "
        "of what is read and predicted there, the factors saw 87.5%"
    )
    assert found["Factors"] == "fitted on 600 random documents of 6,461, eigenvalues on 100"


def test_a_run_of_an_older_build_tells_none():
    assert "Embedding" not in told(SETTINGS)
    assert list(told({})) == ["Run r1", "Damping"]


def _said(settings: str) -> dict[str, str]:
    return dict(of_run(Run("r", "m", "ekfac_cg", 0.1, settings, 3.0, "cpu")))


def test_what_conjugate_gradients_leave_is_said_of_their_run_alone():
    said = _said('{"cg_steps": 4, "cg_documents": 50, "residuals": [0.3, 0.5, 0.25]}')["Solved"]
    assert "4 steps" in said and "50 random documents" in said
    assert "0.3 in the middle" in said and "0.5 at most" in said
    for other in ("{}", '{"residuals": []}', "no JSON"):
        assert "Solved" not in _said(other)


def test_the_regime_of_a_model_is_told_with_what_was_measured():
    near = told({"regime": {"mean_gradient": 0.031, "parent_distance": 0.0123, "near_minimum": True}})["Regime"]
    assert near.startswith("near a minimum") and "1.2% of their length" in near and "0.031 of one" in near
    far = told({"regime": {"mean_gradient": None, "parent_distance": None, "near_minimum": False}})["Regime"]
    assert far.startswith("not near") and "nothing was measured" in far
    assert "Regime" not in told(SETTINGS)
