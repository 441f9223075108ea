"""Every screen is found, and what says its name elsewhere means one that is there."""

import ast
from pathlib import Path

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
