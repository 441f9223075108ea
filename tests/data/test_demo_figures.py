"""The demo's figures are those that data/README.md tells, of the weights and documents that lie beside them."""

import re
from pathlib import Path

import pytest

from indexer.config.config import read_config
from indexer.figures.file import Saved, read_figures
from indexer.figures.matching import matched
from indexer.size.member import open_member

DATA = Path(__file__).parents[2] / "data"
CONFIG = DATA / "demo" / "demo.toml"


@pytest.fixture(scope="module")
def figures() -> list[Saved]:
    path = read_config(CONFIG).evaluation.figures
    assert path is not None
    return read_figures(path)


@pytest.mark.slow
def test_they_hold_for_the_demo_as_it_is_built(figures):
    config = read_config(CONFIG)
    members = [open_member(entry, config) for entry in config.model if entry.parent == ""]
    holds, lines = matched(figures, members)
    assert [(member.entry.name, saved.command.split()[-1]) for member, saved in holds] == [
        ("atlas-s", "--full"),
        ("atlas-s", "--quick"),
        ("atlas-m", "--full"),
        ("atlas-l", "--full"),
    ]
    assert lines == []


@pytest.mark.parametrize(
    ("row", "method"),
    [("BM25", "bm25"), ("**`ekfac_checkpoints`: both, over checkpoints**", "ekfac_checkpoints"), ("TracIn", "tracin")],
)
def test_they_are_those_of_the_table(figures, row, method):
    told = (DATA / "README.md").read_text(encoding="utf-8")
    [line] = re.findall(rf"^\| {re.escape(row)} \|([^|]*)\|([^|]*)\|$", told, flags=re.MULTILINE)
    [of] = [each for each in figures if each.model == "atlas-s" and each.command.endswith("--full")]
    for metric, cell in zip(("lds", "lds_without_self"), line, strict=True):
        [found] = [each for each in of.tables["evaluation"] if (each["method"], each["metric"]) == (method, metric)]
        numbers = [float(each) for each in re.findall(r"\d+\.\d+", cell)]
        assert numbers == [found["value"], found["detail"]["low"], found["detail"]["high"]]


@pytest.mark.parametrize("method", ["ekfac", "ekfac_checkpoints", "source"])
def test_slopes_are_those_of_the_table(figures, method):
    told = (DATA / "README.md").read_text(encoding="utf-8")
    [line] = re.findall(rf"^\| `{method}` \|([^|]*)\|([^|]*)\|$", told, flags=re.MULTILINE)
    [of] = [each for each in figures if each.model == "atlas-s" and each.command.endswith("--quick")]
    [row] = [each for each in of.tables["calibration"] if (each["method"], each["damping"]) == (method, 0.1)]
    [held] = [
        each["detail"]
        for each in of.tables["evaluation"]
        if (each["method"], each["metric"]) == (method, "slope_held_out")
    ]
    first, second = ([float(each) for each in re.findall(r"\d+\.\d+", cell)] for cell in line)
    assert first == [round(row[name], 2) for name in ("slope", "low", "high")]
    assert second == [round(each, 2) for each in (row["held_out_slope"], held["low"], held["high"])]
