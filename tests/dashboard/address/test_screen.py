"""Every screen is found, and what says its name elsewhere means one that is there."""

import ast
from pathlib import Path
from types import SimpleNamespace

from dashboard.address import screen
from dashboard.address.screen import paths, screens

ROOT = Path(__file__).parents[3]


def test_the_first_one_is_the_front_page() -> None:
    assert next(iter(screens())) == "explain"
    assert paths()[0] == "/" and len(set(paths())) == len(screens())


def test_what_is_opened_by_its_name_is_there() -> None:
    opened = [
        node.args[0].value
        for path in (ROOT / "dashboard").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "open_screen"
        if isinstance(node.args[0], ast.Constant)
    ]
    assert len(opened) > 3
    assert set(opened) <= set(screens())


def test_what_a_screen_has_imported_is_not_searched_for_garbage_again(monkeypatch):
    """Streamlit collects after every rerun."""
    module, frozen = SimpleNamespace(show=lambda: None), []
    monkeypatch.setattr(screen, "import_module", lambda name: module)
    monkeypatch.setattr(screen.gc, "freeze", lambda: frozen.append(True))
    screen._opened.cache_clear()
    try:
        for _ in range(3):
            screens()["explain"].show()
            screens()["runs"].show()
    finally:
        screen._opened.cache_clear()
    assert len(frozen) == 2
