"""Which measures of a model are shown, whatever the model is called."""

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.database.evaluations import MEASURES, evaluation_parts
from indexer.evaluate import command
from indexer.evaluate.protocol.published import measured, measured_at
from indexer.evaluate.protocol.scale import FULL, QUICK, Scale
from indexer.evaluate.statistics.figures import Figure

named = pytest.mark.parametrize("name", ["m", "llama.full-ft", "lds.full-m", "gpt-best-small", "best-m"])


def figure(value: float) -> Figure:
    return Figure("bm25", "lds", value, None, None, 1, "")


def take(folder: Path, name: str, scale: Scale, value: float, basis: str = "same") -> None:
    of = SimpleNamespace(base_key=basis, entry=SimpleNamespace(name=name), loaded=SimpleNamespace(weights_hash="w"))
    measured_at(scale, folder, "lds", of, f"{value}", lambda: [figure(value)])


def shown(folder: Path) -> list[float]:
    config = SimpleNamespace(output=SimpleNamespace(folder=folder))
    return [each.value for each in command._figures(config, "w")]


@named
def test_a_full_measure_stands_for_the_quick_one_until_a_newer_one_has_another_basis(tmp_path, name):
    take(tmp_path, name, QUICK, 1.0)
    take(tmp_path, name, FULL, 2.0)
    assert shown(tmp_path) == [2.0]
    take(tmp_path, name, QUICK, 3.0)
    assert shown(tmp_path) == [2.0]
    take(tmp_path, name, QUICK, 4.0, "another")
    assert shown(tmp_path) == [4.0]


@named
def test_what_is_concluded_from_the_figures_is_none_of_them(tmp_path, name):
    take(tmp_path, name, QUICK, 1.0)
    measured(tmp_path, "best", name, "w", "k", lambda: [figure(5.0)])
    assert shown(tmp_path) == [1.0]
    assert len(evaluation_parts(tmp_path, ["w"])) == 2


def test_every_measure_that_is_taken_at_a_scale_is_known():
    calls = [
        node
        for path in Path(command.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "measured_at"
    ]
    assert {ast.literal_eval(call.args[2]) for call in calls} == set(MEASURES)
