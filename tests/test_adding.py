"""EDGE: what it costs to add something, by really adding it: the examples of CONTRIBUTING.md, in a copy of the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attribution.errors import BadInput
from attribution.records import records
from dashboard.address.screen import paths
from indexer.config.config import read_config
from indexer.config.estimator import Estimator
from tests.attribution import tiny
from tests.attribution.passes import test_capture
from tests.tiny_family import write_project

ROOT = Path(__file__).parents[1]
PACKAGES = ("attribution", "indexer", "dashboard", "tests")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python\n# ([\w/]+\.py)\n(.*?)```", CONTRIBUTING, flags=re.DOTALL))
COSTS = {  # what is added -> how the paths of its files begin, and how many there are
    "an estimator": ("indexer/estimators/", 1),
    "a saliency method": ("attribution/prompt/saliency/methods/", 1),
    "a screen": ("dashboard/screens/", 2),
    "a command": ("indexer/commands.py", 1),
    "a model architecture": ("tests/attribution/tiny.py", 1),
}
STORED = ("ekfac", "shortest")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for package in PACKAGES
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as it is, and every example of CONTRIBUTING.md put where its first line says."""
    folder = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in EXAMPLES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(("\n\n" if file.tell() else "") + text)
    return folder


def project(folder: Path) -> Path:
    """One tiny size, asked for the estimator that was added, and not for the saliency method."""
    path = write_project(folder)
    text = path.read_text()
    text = text[: (second := text.index("[[model]]", 60))] + text[text.index("[prompts]", second) :]
    text = text.replace("[scores]\n", f"[scores]\nmethod = {json.dumps(STORED)}\n")
    path.write_text(text.replace("max_new_tokens", 'saliency = ["grad_x_input"]\nmax_new_tokens'))
    return path


@pytest.fixture(scope="module")
def told(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `tests.added` is told there."""
    path = project(tmp_path_factory.mktemp("project"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.added", str(path)],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_nothing_else_is_touched(tree: Path) -> None:
    """The counts of the table in CONTRIBUTING.md."""
    before, after = contents(ROOT), contents(tree)
    touched = {name for name in after if after[name] != before.get(name)}
    assert touched == set(EXAMPLES)
    for what, (start, n) in COSTS.items():
        assert len([name for name in touched if name.startswith(start)]) == n, what
        [row] = re.findall(rf"^\| {what} \|.*\|$", CONTRIBUTING, flags=re.MULTILINE)
        assert re.findall(r"\d+", row.split("|")[-2])[0] == str(n), row
    assert sum(n for _, n in COSTS.values()) == len(touched)


def test_an_example_is_short() -> None:
    code = {name: [line for line in text.splitlines() if line.strip()] for name, text in EXAMPLES.items()}
    assert {name: len(lines) for name, lines in code.items() if len(lines) > 18} == {}


def test_without_its_file_a_name_is_refused(tmp_path: Path) -> None:
    """What the other tests find comes from the copy, and from nowhere else."""
    with pytest.raises(BadInput, match="shortest"):
        read_config(project(tmp_path))


def test_the_configuration_takes_the_name_and_the_forecast_has_its_stage(told: dict[str, Any]) -> None:
    stages = {line.split()[0]: line for line in told["plan"].splitlines() if line.strip()}
    assert "shortest" in stages and "influence" in stages


def test_a_build_stores_it(told: dict[str, Any]) -> None:
    assert told["check"] == []
    assert told["runs"] == sorted(STORED)
    assert told["scores"] and all(score == int(score) < 0 for score in told["scores"])


def test_an_evaluation_measures_it(told: dict[str, Any]) -> None:
    assert told["evaluated"]["shortest"] == told["evaluated"]["ekfac"] == told["evaluated"]["random"]


def test_pages_name_it_and_offer_it(told: dict[str, Any]) -> None:
    assert told["switches"]["Estimator"] == ["Estimator: EK-FAC", "Estimator: Shortest document"]
    assert "recency" not in told["stored"]
    assert "Recency" in told["switches"]["Compute another method"]


def test_a_request_computes_it(told: dict[str, Any]) -> None:
    first, *_ = told["asked"]
    n_seen = sum(value > 0 for value in first)
    assert n_seen > 2 and first == [*range(1, n_seen + 1), *[0.0] * (len(first) - n_seen)]


def test_the_navigation_has_the_screen_and_shows_it(told: dict[str, Any]) -> None:
    assert told["paths"] == [*paths(), "/counts"]
    assert told["counts"] == [["documents", "prompts", "tokens", "influences"]]


def test_documentation_and_help_tell_of_it_without_torch(told: dict[str, Any]) -> None:
    assert "| `shortest` | Shortest document | the shorter a document" in told["documentation"]
    assert "| `recency` | Recency | the nearer a token" in told["documentation"]
    assert "recency" in told["help"]
    assert "Name what a configuration computes." in told["commands"]
    assert told["command"] == "ekfac shortest grad_x_input\n"
    assert told["torch"] is False


def test_an_architecture_is_one_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its gradients are those of autograd, as the tests of every architecture hold."""
    code = EXAMPLES["tests/attribution/tiny.py"]
    [name] = re.findall(r'CONFIGS\["(\w+)"\]', code)
    assert name not in tiny.CONFIGS
    monkeypatch.setattr(tiny, "CONFIGS", dict(tiny.CONFIGS))
    exec(code, vars(tiny))  # noqa: S102 - the example
    test_capture.test_document_gradients_are_those_of_autograd(name)


def test_a_file_without_its_record_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would miss what is not found."""
    (tmp_path / "added_here").mkdir()
    (tmp_path / "added_here" / "forgotten.py").write_text('"""No record."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TypeError, match=r"added_here\.forgotten to declare RECORD = Estimator\(name='forgotten'"):
        records("added_here", Estimator)
