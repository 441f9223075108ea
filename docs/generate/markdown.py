"""Markdown out of plain values: tables, and docstrings as prose and formulas. Pure."""

import re
import textwrap
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\*\[\]<>#|~]|(?<!\w)_|_(?!\w))")
_ALIGNED = re.compile(r"\S {3,}\S")  # columns held apart by spaces, as shapes beside a formula are


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; a cell is Markdown itself, in which only `|` and line ends are taken away."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def escaped(text: str) -> str:
    """Text whose signs mean themselves, but for `code` between backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a single backtick is one
        return _SPECIAL.sub(r"\\\1", text).replace("`", r"\`")
    return "`".join(part if i % 2 else _SPECIAL.sub(r"\\\1", part) for i, part in enumerate(parts))


def docstring(text: str) -> str:
    """A docstring: prose as prose; formulas, shapes and tables as they stand, in blocks of code.

    A line belongs to a block when it is indented, ruled with `|`, or held together by columns of spaces.
    """
    out: list[str] = []
    for paragraph in re.split(r"\n\s*\n", textwrap.dedent(text).strip("\n")):
        for i, (shown, lines) in enumerate(_runs(paragraph.splitlines())):
            body = textwrap.dedent("\n".join(lines))
            if shown:
                if not i and out and out[-1].endswith("\n```"):  # the paragraph before is a block too: one for both
                    out[-1] = out[-1].removesuffix("```") + f"\n{body}\n```"
                else:
                    out.append(f"```text\n{body}\n```")
            else:
                out.append(escaped(" ".join(line.strip() for line in lines)))
    return "\n\n".join(out) + "\n"


def _runs(lines: list[str]) -> list[tuple[bool, list[str]]]:
    found: list[tuple[bool, list[str]]] = []
    for line in lines:
        shown = line.startswith((" ", "|", "├", "└")) or bool(_ALIGNED.search(line))
        if found and found[-1][0] == shown:
            found[-1][1].append(line)
        else:
            found.append((shown, [line]))
    return found
