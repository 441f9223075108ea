"""The file of figures: what is written is read back, other models' stay, nonsense is one line."""

import json

import pytest

from attribution.errors import BadInput
from indexer.figures.file import Saved, read_figures, write_figures

ROWS = [
    {"method": "ekfac", "metric": "lds", "value": 0.5, "detail": {"low": 0.4, "high": 0.6, "n": 9, "how": "“so”, λ 1"}},
    {"method": "bm25", "metric": "lds", "value": -0.1, "detail": {"low": None, "high": None, "n": 1, "how": ""}},
]


def saved(model: str, value: float = 0.5) -> Saved:
    tables = {"evaluation": [ROWS[0] | {"value": value}, ROWS[1]]}
    return Saved(model, "w" * 16, "c" * 16, {"scores": {"damping": 0.1}}, "2026-11-26", "evaluate", "0.1.0", tables)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "figures.json"
    write_figures(path, [saved("s"), saved("m", 0.7)])
    assert read_figures(path) == [saved("m", 0.7), saved("s")]  # by name
    assert sum('"metric"' in line for line in path.read_text().splitlines()) == 4  # a line each


def test_a_later_one_replaces_its_own_models_only(tmp_path):
    path = tmp_path / "figures.json"
    write_figures(path, [saved("m", 0.7), saved("s")])
    write_figures(path, [saved("s", 0.9)])
    assert read_figures(path) == [saved("m", 0.7), saved("s", 0.9)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"format": 1, "models": []}',
        '{"format": 2, "models": 3}',
        '{"format": 2, "models": [3]}',
        '{"format": 2, "models": [{"model": "m"}]}',
        "\0",
    ],
)
def test_something_else_is_one_line(tmp_path, text):
    path = tmp_path / "figures.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"figures\.json.*save (them|the figures) again"):
        read_figures(path)


@pytest.mark.parametrize(("name", "value"), [("settings", {"scores": 3}), ("tables", {"evaluation": [3]})])
def test_a_model_that_does_not_fit_is_one_line(tmp_path, name, value):
    path = tmp_path / "figures.json"
    write_figures(path, [saved("m")])
    found = json.loads(path.read_text())
    found["models"][0][name] = value
    path.write_text(json.dumps(found))
    with pytest.raises(BadInput, match="of every model"):
        read_figures(path)
