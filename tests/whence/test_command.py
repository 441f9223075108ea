"""`whence COMMAND` has every command of the indexer and `serve`, reads without torch, and says what it cannot do."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.__main__ import _parser as dashboard_parser
from indexer.__main__ import parser as indexer_parser
from whence.command import main, parser

ROOT = Path(__file__).parents[2]


def commands(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    [sub] = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(sub.choices)


def arguments(of: argparse.ArgumentParser) -> list[tuple[str, ...]]:
    return [(*action.option_strings, action.dest, str(action.default), str(action.help)) for action in of._actions]


def test_it_has_every_command_with_the_same_options() -> None:
    mine, theirs = commands(parser()), commands(indexer_parser())
    assert list(mine) == [*theirs, "export", "serve"]
    assert {name: arguments(mine[name]) for name in theirs} == {name: arguments(each) for name, each in theirs.items()}
    assert arguments(mine["serve"]) == arguments(dashboard_parser())


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given in (["build", "absent.toml"], ["serve", str(tmp_path / "nothing")]):
        assert main(given) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert said.err.startswith("whence: ")


def ran(program: str, *given: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", program, *map(str, given)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


HEAVY = "{'torch', 'transformers', 'tokenizers', 'captum', 'kronfluence'} & sys.modules.keys()"
READS = f"""
import sys, pathlib
folder = sys.argv[1]
from whence.command import main
assert main(["check", folder]) == 0
import whence
runs = whence.open(folder)
answer = runs.answer(runs.answers()["generation_id"][0])
answer.tokens, answer.documents(token=0), answer.saliency(answer.saliency_methods[0]).table(), runs.models()
try:
    main(["--help"])
except SystemExit as ended:
    assert ended.code == 0
print(sorted({HEAVY}))
"""
SERVES = f"""
import sys, asyncio
from dashboard.server import serving
def serve(options, sign_in=None):
    from starlette.testclient import TestClient
    with TestClient(serving.application(), base_url="http://localhost:8501") as client:
        assert client.get("/").status_code == client.get("/_stcore/health").status_code == 200
    import dashboard.screens.explain.screen
serving.serve = serve
from whence.command import main
assert main(["serve", sys.argv[1]]) == 0
print(sorted({HEAVY}))
"""


@pytest.mark.parametrize("program", [READS, SERVES], ids=["reads", "serves"])
@pytest.mark.parametrize("before", ["", "import sys; sys.modules['fcntl'] = None\n"], ids=["", "without fcntl"])
def test_reading_and_serving_take_no_torch_and_no_locks(folder: Path, program: str, before: str) -> None:
    done = ran(before + program, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


BLOCKED = """
import importlib.metadata, sys
sys.modules[sys.argv[1]] = None
found = importlib.metadata.version
def version(name):
    if name == sys.argv[1]:
        raise importlib.metadata.PackageNotFoundError(name)
    return found(name)
importlib.metadata.version = version
from whence.command import main
code = main(sys.argv[2:])
sys.exit(code if "torch" not in sys.modules else 99)
"""


@pytest.mark.parametrize("command", ["build", "train", "evaluate"])
def test_without_locks_writing_says_in_one_line_that_it_does_not_run(demo: Path, command: str) -> None:
    done = ran(BLOCKED, "fcntl", command, demo / "data" / "demo" / "tiny.toml")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "`fcntl`" in done.stderr


def test_without_locks_nothing_is_collected(folder: Path) -> None:
    before = sorted(folder.iterdir())
    done = ran(BLOCKED, "fcntl", "gc", folder, "--keep", "1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("given", [["build"], ["plan"], ["evaluate"], ["ask"]])
def test_without_kronfluence_it_says_how_to_install_it_before_anything_costly(demo: Path, given: list[str]) -> None:
    prompt = ["The capital of France is"] if given == ["ask"] else []
    done = ran(BLOCKED, "kronfluence", *given, demo / "data" / "demo" / "tiny.toml", *prompt)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "pip install --no-deps kronfluence==" in done.stderr
