"""The house keeps its walls: imports run one way, the dashboard never reaches torch, effects stay in EDGE files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests import rooms
from tests.rooms import PACKAGES, ROOT, files, imports, module_file, tree, within

MOST_FILES = 15  # of one folder: more are a pile
WALLED = (*PACKAGES, "docs")  # which writes pages and is no room of the house

# package -> what none of its files may import
FORBIDDEN = {
    "attribution": {
        *("indexer", "dashboard", "whence", "data", "docs", "tests"),
        *("duckdb", "whoosh", "tantivy", "streamlit", "plotly", "altair"),
    },
    "indexer": {"dashboard", "whence", "data", "docs", "tests", "streamlit", "plotly", "altair"},
    "dashboard": {
        *("whence", "data", "docs", "tests"),
        *("torch", "transformers", "captum", "kronfluence", "tokenizers", "altair"),
    },
    "whence": {"data", "docs", "tests", "streamlit", "plotly", "altair", "duckdb", "captum", "kronfluence"},
    "data": {"dashboard", "whence", "tests", "streamlit", "plotly", "altair"},
    "docs": {"data", "tests", "torch", "transformers", "streamlit", "plotly", "altair"},
}

# modules whose only use is an effect: on files, processes, the network, the terminal
EFFECTS = {
    *("subprocess", "shutil", "tempfile", "socket", "signal", "fcntl", "multiprocessing", "requests", "httpx"),
    *("urllib.request", "http.client", "ftplib", "sqlite3", "huggingface_hub", "argparse", "rich"),
}
# calls that read or write a file, or print, by the name at the end of the call
EFFECT_CALLS = {
    *("open", "connect", "print", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "rename"),
    *("save_file", "load_file", "write_shard", "read_table", "from_pretrained", "save_pretrained"),
}


def wrong_arrows(package: str) -> list[str]:
    return [
        f"{path.relative_to(rooms.ROOT)} imports {name}"
        for path in files(package)
        for name in imports(path)
        if within(name, FORBIDDEN[package])
    ]


@pytest.mark.parametrize("package", WALLED)
def test_imports_run_one_way(package):
    assert wrong_arrows(package) == []


def test_a_wrong_arrow_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "ROOT", tmp_path)
    (tmp_path / "attribution").mkdir()
    (tmp_path / "attribution" / "wrong.py").write_text(
        "def f():\n    from indexer import config\n    import whoosh.fields\n"
    )
    assert len(wrong_arrows("attribution")) == 3


def reached(start: list[Path]) -> dict[str, str]:
    """Every module that is imported when the files are: its name -> who imports it. Functions do not run."""
    found: dict[str, str] = {}
    todo = list(start)
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports(path, nested=False):
            found.setdefault(name, str(path.relative_to(ROOT)))
            todo += [file for file in (module_file(name), module_file(name.rpartition(".")[0] or name)) if file]
    return found


def test_no_file_of_the_dashboard_reaches_torch():
    found = reached(files("dashboard"))
    assert {name: by for name, by in found.items() if within(name, {"torch", "transformers", "captum"})} == {}


def test_the_command_line_answers_a_mistake_without_torch():
    code = (
        "import sys; from indexer.__main__ import main; code = main(['build', 'absent.toml']);"
        "sys.exit(code if 'torch' not in sys.modules else 99)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def is_edge(path: Path) -> bool:
    return "EDGE" in path.read_text(encoding="utf-8").partition("\n")[0]


def effects(path: Path) -> list[str]:
    called = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    names = {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in called}
    return sorted({name for name in imports(path) if within(name, EFFECTS)} | (names & EFFECT_CALLS))


@pytest.mark.parametrize("package", ["attribution", "indexer", "whence", "data", "docs"])
def test_effects_stay_in_files_that_say_edge(package):
    strange = {str(path.relative_to(ROOT)): effects(path) for path in files(package) if not is_edge(path)}
    assert {path: found for path, found in strange.items() if found} == {}


@pytest.mark.parametrize("package", WALLED)
def test_every_file_says_what_it_is(package):
    silent = [path for path in files(package) if tree(path).body and not ast.get_docstring(tree(path))]
    assert silent == []


def test_there_are_no_utils():
    names = {path.stem for path in files(*PACKAGES)}
    assert names.isdisjoint({"utils", "util", "helpers", "helper", "common", "misc", "manager"})


def test_no_circle_of_folders():
    assert rooms.circles(rooms.arrows()) == []


def test_a_circle_is_seen():
    assert rooms.circles({("a", "b"), ("b", "c"), ("c", "a"), ("a", "d")}) == ["a", "b", "c"]


def test_no_folder_is_a_pile():
    counted = {room: len(found) for room, found in rooms.by_room().items()}
    assert {room: n for room, n in counted.items() if n > MOST_FILES} == {}


def test_the_drawing_shows_the_rooms_as_they_are():
    """`python -m tests.rooms` draws it again."""
    assert rooms.DRAWING.read_text(encoding="utf-8") == rooms.drawing()
