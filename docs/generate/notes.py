"""What the source says beside a name: the string below a field, the comment above an entry of a dictionary. Pure."""

import ast
import inspect
import textwrap
from types import ModuleType


def field_notes(cls: type) -> dict[str, str]:
    """Field of a dataclass -> the string that stands below it."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - for the type checker: the source of a class is one
    notes: dict[str, str] = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = _string(below)
            if text:
                notes[field.target.id] = " ".join(text.split())
    return notes


def _string(node: ast.stmt) -> str:
    value = node.value if isinstance(node, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def entry_notes(module: ModuleType, name: str) -> dict[str, str]:
    """Key of the dictionary `name` of a module -> the comment that stands above it."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    [entries] = [
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    ]
    assert isinstance(entries, ast.Dict)  # noqa: S101 - for the type checker
    notes = {}
    for key in entries.keys:
        if isinstance(key, ast.Constant):
            notes[str(key.value)] = _comment_above(lines, key.lineno - 1)
    return notes


def _comment_above(lines: list[str], row: int) -> str:
    above: list[str] = []
    while row and lines[row - 1].lstrip().startswith("#"):
        row -= 1
        above.insert(0, lines[row].lstrip().removeprefix("#").strip())
    return " ".join(above)
