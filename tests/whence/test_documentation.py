"""Every line of docs/python.md runs, in order, as one who reads it would type it."""

import re
from pathlib import Path
from typing import Any

import pytest

from whence.answer import COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_page_runs_from_top_to_bottom(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(demo)
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks()):
        code = block.replace("atlas-s", "tiny-s")  # the family in miniature stands for the demo's
        exec(compile(code, f"docs/python.md, block {number}", "exec"), names)  # noqa: S102 (a page of ours)
    assert capsys.readouterr().out.startswith("expected the generation_id")
    assert names["asked"].text == names["answer"].text  # the page asks for the first prompt of the file
    assert "".join(names["found"].tokens) == " Paris."


def test_the_page_names_every_column_of_documents() -> None:
    table = PAGE.partition("| column of")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:]))) == COLUMNS


def test_the_page_shows_five_lines_first() -> None:
    assert len(blocks()[0].strip().splitlines()) <= 5
