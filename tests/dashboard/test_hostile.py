"""A database in which every name, prompt, answer and document is hostile: screens draw it, literally, and bounded."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import tests.synthetic_database as synthetic
from tests.dashboard.drawn import components
from tests.dashboard.hostile import hostile_facts

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "FACTS", hostile_facts())
        synthetic.build_synthetic(path)
    return path


@pytest.mark.parametrize("screen", ["explain", "runs", "compare", "context", "corpus", "about"])
def test_every_screen_draws_it(open_app: Open, hostile: Path, screen: str) -> None:
    app = open_app(screen=screen, where=hostile)
    assert not app.exception
    for element in [*app.markdown, *app.caption, *app.subheader]:
        assert "<script" not in element.value and "evil.invalid" not in element.value


def test_the_text_is_shown_literally_and_cut(open_app: Open, hostile: Path) -> None:
    app = open_app(where=hostile)
    [strip] = components(app, "token_strip")
    [documents] = components(app, "document_list")
    shown = [token["text"] for token in strip["answer"] + strip["prompt"]]
    assert max(len(text) for text in shown) <= 220
    pieces = [text for item in documents["items"] for text, _ in item["pieces"]]
    assert "\u202e" not in "".join(shown + pieces)
