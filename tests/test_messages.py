"""Messages, help and pages name the command that is installed, `whence`, and only commands and options that it has."""

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from whence.command import parser

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path for name in ("attribution", "indexer", "dashboard", "whence") for path in ROOT.glob(f"{name}/**/*.py")
)
PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), *ROOT.glob("data/*.md")])
OTHER = re.compile(r"python -m (indexer|dashboard)(?![\w.])")  # `python -m indexer.worker.process` is nobody's to type
NAMED = re.compile(r"(?:^|`|/|open it: )whence ([a-z][\w-]*)([^`\n]*)", re.MULTILINE)
SHOWN_AS_IT_WAS_CALLED = {  # what `python -m … --help` says of itself, and what both are called side by side
    ("indexer/__main__.py", "EDGE: `python -m indexer COMMAND`"),
    ("indexer/__main__.py", "python -m indexer"),
    ("dashboard/__main__.py", "EDGE: `whence serve [FOLDER]`, or `python -m dashboard"),
    ("dashboard/__main__.py", "python -m dashboard"),
    ("whence/command.py", "The commands of `python -m indexer`"),
}


def strings(path: Path) -> Iterator[str]:
    """Every text of a module; of one with values in it, those are `…`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    [of] = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(of.choices)


def unknown(text: str) -> list[str]:
    """What a text says of `whence` that there is not."""
    known, found = commands(), []
    for name, rest in NAMED.findall(text):
        if name not in known:
            found.append(f"whence {name}")
            continue
        options = re.findall(r"(?<![\w-])--[a-z][\w-]*", rest)
        found += [f"whence {name} {each}" for each in options if each not in known[name]._option_string_actions]
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_messages_name_the_command_that_is_installed() -> None:
    seen = {(name_of(path), text) for path in MODULES for text in strings(path) if OTHER.search(text)}
    kept = {
        (at, text)
        for at, text in seen
        for where, begins in SHOWN_AS_IT_WAS_CALLED
        if at == where and text.startswith(begins)
    }
    assert sorted(seen - kept) == []
    used = {
        each for each in SHOWN_AS_IT_WAS_CALLED if any(at == each[0] and text.startswith(each[1]) for at, text in kept)
    }
    assert used == SHOWN_AS_IT_WAS_CALLED  # an exception that nothing needs is taken out


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_pages_name_commands_that_there_are(path: Path) -> None:
    assert unknown(path.read_text(encoding="utf-8")) == []


def test_messages_name_commands_that_there_are() -> None:
    found = {(name_of(path), each) for path in MODULES for text in strings(path) for each in unknown(text)}
    assert sorted(found) == []
    assert any("whence build" in text for text in strings(ROOT / "indexer/database/reader.py"))


def test_what_would_be_wrong_is_found() -> None:
    assert unknown("run `whence biuld CONFIG`") == ["whence biuld"]
    assert unknown("run `whence ask CONFIG --documents F` or\nwhence build --model a") == ["whence ask --documents"]
    assert OTHER.search("run `python -m indexer build`") and not OTHER.search("python -m indexer.worker.process")
