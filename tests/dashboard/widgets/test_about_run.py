from dashboard.database.records import Run
from dashboard.widgets.about_run import _of_run


def _said(settings: str) -> dict[str, str]:
    return dict(_of_run(Run("r", "m", "ekfac_cg", 0.1, settings, 3.0, "cpu")))


def test_what_conjugate_gradients_leave_is_said_of_their_run_alone():
    said = _said('{"cg_steps": 4, "cg_documents": 50, "residuals": [0.3, 0.5, 0.25]}')["Solved"]
    assert "4 steps" in said and "50 random documents" in said
    assert "0.3 in the middle" in said and "0.5 at most" in said
    for other in ("{}", '{"residuals": []}', "no JSON"):
        assert "Solved" not in _said(other)
