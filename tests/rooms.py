"""The rooms of the house: which folder imports which, by the imports. `python -m tests.rooms` draws them anew."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("attribution", "indexer", "dashboard", "whence", "data")
DRAWING = ROOT / "docs" / "rooms.svg"
Arrow = tuple[str, str]


def files(*packages: str) -> list[Path]:
    """Their Python files, without what `data.build_corpus` downloads."""
    found = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, *, nested: bool = True) -> Iterator[str]:
    """Full names of what a file imports; `nested`: inside functions too. `from a import b` gives a and a.b."""
    todo: list[ast.AST] = [tree(path)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield from [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif not _for_types_only(node) and (nested or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            todo.extend(ast.iter_child_nodes(node))


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(ROOT).parent.parts
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def within(name: str, modules: set[str]) -> bool:
    """Whether a dotted name is one of the modules or lies in one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def module_file(name: str) -> Path | None:
    path = ROOT.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def by_room() -> dict[str, list[Path]]:
    """folder -> its own files, without `__init__`."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in files(*PACKAGES):
        if path.name != "__init__.py":
            found[room(path)].append(path)
    return dict(found)


def room(path: Path) -> str:
    return path.parent.relative_to(ROOT).as_posix()


def arrows() -> set[Arrow]:
    """(folder, another folder that one of its own files imports a file of); a package's `__init__` counts as a file."""
    found = set()
    for here, paths in by_room().items():
        for name in (name for path in paths for name in imports(path)):
            file = module_file(name)
            if file is not None and file.name != "__init__.py" and room(file) != here:
                found.add((here, room(file)))
    return found


def circles(found: set[Arrow]) -> list[str]:
    """The folders from which a way of arrows leads back to themselves."""
    return sorted(place for place in {here for here, _ in found} if place in reached_from(place, found))


def reached_from(place: str, found: set[Arrow]) -> set[str]:
    seen: set[str] = set()
    todo = [place]
    while todo:
        here = todo.pop()
        new = {there for start, there in found if start == here} - seen
        seen |= new
        todo += new
    return seen


def needed(found: set[Arrow]) -> set[Arrow]:
    """Without arrows that a longer way says too (the transitive reduction); there are no circles."""
    return {
        (here, there)
        for here, there in found
        if not any(there in reached_from(by, found) for start, by in found if start == here and by != there)
    }


def levels(found: set[Arrow], rooms: list[str]) -> dict[str, int]:
    """How many rooms lie below each on the longest way down."""

    @cache
    def level(place: str) -> int:
        return 1 + max((level(there) for here, there in found if here == place), default=-1)

    return {place: level(place) for place in rooms}


WIDTH, BOX, HIGH, GAP, STEP = 1560, 240, 30, 10, 74  # of the sheet, of a box, between boxes, between levels


def drawing() -> str:
    """The sheet as SVG: every arrow runs down."""
    found = arrows()
    counted = {place: len(paths) for place, paths in by_room().items()}
    level = levels(found, sorted(counted))
    rows: dict[int, list[str]] = defaultdict(list)
    for place in sorted(counted, key=lambda each: (PACKAGES.index(each.split("/")[0]), each)):
        rows[level[place]].append(place)
    per_line = WIDTH // (BOX + GAP)
    at: dict[str, tuple[float, float]] = {}
    y = GAP
    for number in sorted(rows, reverse=True):
        for start in range(0, len(rows[number]), per_line):
            line = rows[number][start : start + per_line]
            left = (WIDTH - len(line) * (BOX + GAP)) / 2
            at |= {place: (left + i * (BOX + GAP), y) for i, place in enumerate(line)}
            y += STEP
    lines = [
        f"<path d='M{at[here][0] + BOX / 2:.0f} {at[here][1] + HIGH} L{at[there][0] + BOX / 2:.0f} {at[there][1] - 2}' "
        f"class='{here.split('/')[0]}'/>"
        for here, there in sorted(needed(found))
    ]
    boxes = [
        f"<g class='{place.split('/')[0]}'><rect x='{x:.0f}' y='{top}' width='{BOX}' height='{HIGH}' rx='4'/>"
        f"<text x='{x + 8:.0f}' y='{top + 20}'>{escape(place)} <tspan>{counted[place]}</tspan></text></g>"
        for place, (x, top) in at.items()
    ]
    style = (
        "svg{background:#fff;font:11px system-ui,sans-serif}rect{fill:#fff;stroke-width:1.4}path{fill:none;opacity:.45}"
        "tspan{fill:#667}"
        ".attribution{stroke:#1d6fa5}.indexer{stroke:#2e7d4f}.dashboard{stroke:#a3541b}.whence{stroke:#8a2f5c}.data{stroke:#6b5aa8}"
        "text{stroke:none;fill:#1c2530}"
    )
    about = "Folders of Whence and the imports between them; the number is how many files a folder holds itself"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y}' role='img' aria-label='{about}'>\n"
        f"<style>{style}</style>\n" + "\n".join([*lines, *boxes]) + "\n</svg>\n"
    )


if __name__ == "__main__":
    DRAWING.write_text(drawing(), encoding="utf-8")
