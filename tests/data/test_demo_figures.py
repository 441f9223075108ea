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
LDS_ALONE = "its LDS alone"
# the table's columns, one after the other
METRICS = ("lds", "lds_without_self", "lds_behind", "slope", "slope_held_out")
METHODS = {
    "random": "random",
    "hidden-state cosine": "hidden_cosine",
    "gradient dot": "gradient_dot",
    "gradient cosine": "gradient_cosine",
    "TracIn": "tracin",
    "BM25": "bm25",
    "EK-FAC, attention only": "ekfac, attention only",
    "EK-FAC, MLP only": "ekfac, MLP only",
    "EK-FAC, linear layers only": "ekfac, without embedding",
    "embedding only, diagonal": "ekfac, embedding only",
    "`ekfac`: both, at the final weights": "ekfac",
    "the same, λ 1": "ekfac, λ 1",
    "the same, λ 0.01": "ekfac, λ 0.01",
    "the same, λ 0.001": "ekfac, λ 0.001",
    "`ekfac`, RelatIF-ℓ": "ekfac / relatif_l",
    "`ekfac` ÷ gradient norm": "ekfac / grad_norm",
    "`source`: segments of the training": "source",
    "**`ekfac_checkpoints`: both, over checkpoints**": "ekfac_checkpoints",
    "`ekfac_checkpoints`, RelatIF-ℓ": "ekfac_checkpoints / relatif_l",
    "`ekfac_checkpoints` ÷ gradient norm": "ekfac_checkpoints / grad_norm",
    "linear layers only, over checkpoints": "ekfac_checkpoints, without embedding",
    "embedding only, diagonal, over checkpoints": "ekfac_checkpoints, embedding only",
    "embedding only, turned, over checkpoints": "ekfac_checkpoints, embedding turned, embedding only",
    "one training against another": "another seed",
    "ceiling, upper bound (by the mean of the queries): who knows the expected outcome of every half": "ceiling",
}


@pytest.fixture(scope="module")
def figures() -> list[Saved]:
    path = read_config(CONFIG).evaluation.figures
    assert path is not None
    return read_figures(path)


@pytest.fixture(scope="module")
def lds_alone(figures) -> Saved:
    [found] = [each for each in figures if each.command.endswith(LDS_ALONE)]
    return found


def _table() -> dict[str, list[str]]:
    """The rows of the LDS table in data/README.md: name to the cells beside it."""
    told = (DATA / "README.md").read_text(encoding="utf-8")
    [body] = re.findall(
        r"^\| method \| LDS \|[^\n]*held out \|\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)", told, flags=re.MULTILINE
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
    return {name: cells for name, *cells in rows}


def _numbers(cell: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+\.\d+", cell.replace("−", "-"))]


@pytest.mark.slow
def test_they_hold_for_the_demo_as_it_is_built(figures):
    config = read_config(CONFIG)
    members = [open_member(entry, config) for entry in config.model if entry.parent == ""]
    holds, lines = matched(figures, members)
    assert [
        (member.entry.name, saved.command.removeprefix("whence evaluate demo.toml ")) for member, saved in holds
    ] == [
        ("atlas-s", "--full"),
        ("atlas-s", f"--full, {LDS_ALONE}"),
        ("atlas-m", "--full"),
        ("atlas-l", "--full"),
    ]
    assert lines == []


def test_the_table_has_these_rows():
    assert list(_table()) == list(METHODS)


@pytest.mark.parametrize("row", METHODS)
def test_they_are_those_of_the_table(lds_alone, row):
    stored = {each["metric"]: each for each in lds_alone.tables["evaluation"] if each["method"] == METHODS[row]}
    told = {metric: _numbers(cell) for metric, cell in zip(METRICS, _table()[row], strict=True) if cell != ""}
    assert told.keys() == stored.keys() - {"best for influence"}
    for metric, numbers in told.items():
        found, interval = stored[metric]["value"], stored[metric]["detail"]
        assert numbers == [round(each, 2) for each in (found, interval["low"], interval["high"])]


@pytest.mark.parametrize("method", ["ekfac", "ekfac_checkpoints", "source"])
def test_nats_of_the_pages_are_calibrated_by_the_slopes_of_the_table(lds_alone, method):
    [used] = [each for each in lds_alone.tables["calibration"] if (each["method"], each["damping"]) == (method, 0.1)]
    [row] = [row for row, name in METHODS.items() if name == method]
    slope, held_out = (_numbers(cell) for cell in _table()[row][-2:])
    assert slope == [round(used[name], 2) for name in ("slope", "low", "high")]
    assert held_out[0] == round(used["held_out_slope"], 2)


def test_tracin_has_no_slope_of_its_older_weights(lds_alone):
    """Without the epochs between its checkpoints; what orders tell of it is kept."""
    told = {each["metric"] for each in lds_alone.tables["evaluation"] if each["method"] == "tracin"}
    assert told == {"lds", "lds_without_self", "lds_behind"}
    for table in ("calibration", "calibration_bin"):
        assert "tracin" not in {each["method"] for each in lds_alone.tables[table]}
