"""A build without influence (`[scores] method = []`): every screen draws, and Context says all that it does else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.screen import screens
from tests.dashboard.drawn import components
from tests.synthetic_database import build_synthetic

INFLUENCE = ("run", "layer", "candidate", "target", "influence", "influence_position", "relabel", "self_influence")
INFLUENCE += ("component_taught",)


@pytest.fixture(scope="module")
def without_influence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prompts")
    build_synthetic(folder, without=INFLUENCE)
    return folder


@pytest.mark.parametrize("screen", screens())
def test_every_screen_draws(open_app: Callable[..., AppTest], without_influence: Path, screen: str) -> None:
    app = open_app(screen=screen, where=without_influence)
    assert not app.exception
    if screen == "inside":
        assert components(app, "part_grid") and len(app.segmented_control(key="control effect").options) == 3
    if screen == "context":
        [cards] = components(app, "document_list")
        assert len(cards["items"]) == 3
    if screen == "explain":
        [strip] = components(app, "token_strip")
        assert any(token["v"] is not None for token in strip["prompt"])
