"""Figures that were saved of one build travel to another of the same weights, and to no other."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.figures.file import Saved, write_figures
from indexer.figures.stage import save_figures
from indexer.pipeline.build import open_member
from indexer.size import factors
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import write_project

FIGURES = '[evaluation]\nfigures = "figures.json"\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    config = write_project(tmp_path_factory.mktemp("project"))
    config.write_text(config.read_text() + FIGURES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(config)]) == 0
        assert main(["build", str(config)]) == 0
    return config


@pytest.fixture
def project(built, tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(factors, "stage", stage_here)
    shutil.copytree(built.parent, tmp_path / "project")
    return tmp_path / "project" / built.name


def figure(method: str, metric: str, value: float, how: str = "50 models") -> dict:
    return {"method": method, "metric": metric, "value": value, "detail": {"low": 0.1, "high": 0.9, "how": how}}


def saved(config: Path, *rows: dict, **other) -> Saved:
    """Figures of tiny-m as this configuration has it."""
    settings = read_config(config)
    member = open_member(settings.model[0], settings)
    from indexer.figures.matching import settings_of

    about = {
        "model": "tiny-m",
        "weights": member.loaded.weights_hash,
        "corpus": member.corpus.hash,
        "settings": settings_of(settings),
        "measured": "2026-11-26",
        "command": "whence evaluate demo.toml --full",
        "whence": "0.1.0",
        "tables": {"evaluation": list(rows), "of a later version": [{"a": 1}]},
    }
    return Saved(**about | other)


def rows(config: Path) -> dict[tuple[str, str, str], tuple[float, dict]]:
    folder = config.parent / "build"
    current = read_current(folder)
    assert current is not None
    with duckdb.connect(str(folder / current.database), read_only=True) as db:
        found = db.execute(
            "SELECT name, method, metric, value, detail FROM evaluation JOIN model USING (model_id)"
            " WHERE metric <> 'sanity'"
        ).fetchall()
    return {tuple(of): (value, json.loads(detail)) for *of, value, detail in found}


def test_a_build_publishes_them_with_day_and_command(project, capsys):
    path = project.parent / "figures.json"
    assert rows(project) == {}
    write_figures(path, [saved(project, figure("ekfac", "lds", 0.7), figure("bm25", "lds", 0.2))])
    capsys.readouterr()
    assert main(["build", str(project)]) == 0
    assert "left out" not in capsys.readouterr().err
    found = rows(project)
    assert set(found) == {("tiny-m", "ekfac", "lds"), ("tiny-m", "bm25", "lds")}
    value, detail = found["tiny-m", "ekfac", "lds"]
    assert (value, detail["low"], detail["how"]) == (0.7, 0.1, "50 models")
    assert (detail["measured"], detail["command"]) == ("2026-11-26", "whence evaluate demo.toml --full")
    assert check(project.parent / "build") == []
    write_figures(path, [saved(project, figure("ekfac", "lds", 0.8))])  # a later run
    assert main(["build", str(project)]) == 0
    assert {of: value for of, (value, _) in rows(project).items()} == {("tiny-m", "ekfac", "lds"): 0.8}


def test_what_two_commands_measured_of_one_model_is_put_together(project):
    """Of a figure and of a table that both have, the first one's, in the order of the file."""
    path, quick = project.parent / "figures.json", "whence evaluate tiny.toml --quick"
    slope = {"method": "ekfac", "damping": 0.1, "slope": 0.2, "low": 0.1, "high": 0.3, "held_out_slope": 1.0}
    calibration = {"calibration": [slope | {"n": 9, "how": "50 models"}]}
    write_figures(path, [saved(project, figure("ekfac", "lds", 0.7))])
    more = {"evaluation": [figure("ekfac", "lds", 0.5), figure("ekfac", "slope", 0.2)]} | calibration
    write_figures(path, [saved(project, command=quick, tables=more)])
    assert [each["command"] for each in json.loads(path.read_text())["models"]] == [
        "whence evaluate demo.toml --full",
        quick,
    ]
    assert main(["build", str(project)]) == 0
    found = rows(project)
    assert {of: value for of, (value, _) in found.items()} == {
        ("tiny-m", "ekfac", "lds"): 0.7,
        ("tiny-m", "ekfac", "slope"): 0.2,
    }
    assert found["tiny-m", "ekfac", "slope"][1]["command"] == quick
    folder = project.parent / "build"
    with duckdb.connect(str(folder / read_current(folder).database), read_only=True) as db:
        assert db.execute("SELECT slope, n FROM calibration").fetchall() == [(0.2, 9)]
    assert check(folder) == []


def test_a_file_that_is_not_there_yet_is_a_line(project, capsys):
    assert main(["build", str(project)]) == 0
    assert "figures.json: no such file yet; `whence evaluate --save` writes it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": "0" * 16}, "other weights"),
        ({"corpus": "0" * 16}, "other documents"),
        ({"settings": {"scores": {"damping": 0.5}, "factors": {"documents": 24}}}, "damping 0.5, not 0.1"),
        ({"settings": {"scores": {}, "factors": {}}}, "documents 2000, not 24"),  # what is not named had its default
    ],
)
def test_those_of_something_else_are_left_out_and_said(project, capsys, change, said):
    write_figures(project.parent / "figures.json", [saved(project, figure("ekfac", "lds", 0.7), **change)])
    capsys.readouterr()
    assert main(["build", str(project)]) == 0
    [line] = [each for each in capsys.readouterr().err.splitlines() if "figures.json" in each]
    assert f"tiny-m: its figures are left out, they were measured with {said}" in line
    assert rows(project) == {}


def test_rows_that_do_not_fit_are_one_line(project, capsys):
    write_figures(project.parent / "figures.json", [saved(project, figure("ekfac", "lds", "high"))])  # type: ignore[arg-type]
    assert main(["build", str(project)]) == 2
    assert "save them again" in capsys.readouterr().err


def test_what_was_measured_here_comes_first_and_is_saved(project):
    """A measure of this folder replaces the file's of the same name, of every method; then all of its own is saved."""
    settings = read_config(project)
    member = open_member(settings.model[0], settings)
    from indexer.evaluate.protocol.published import measured, publish_with
    from indexer.evaluate.statistics.figures import Figure
    from indexer.figures.stage import given_figures

    path, folder = project.parent / "figures.json", project.parent / "build"
    given = [figure("ekfac", "lds", 0.7), figure("bm25", "lds", 0.2), figure("ekfac", "mrr", 0.9)]
    write_figures(path, [saved(project, *given), saved(project, model="another", weights="1" * 16)])
    assert main(["build", str(project)]) == 0
    model_id = member.loaded.weights_hash
    own = [Figure("ekfac", "lds", 0.5, 0.4, 0.6, 9, "here")]
    measured(folder, "lds", "tiny-m", model_id, "made of", lambda: own)
    publish_with(folder, settings, [model_id], given_figures(settings, [member])[0])
    expected = {("tiny-m", "ekfac", "lds"): 0.5, ("tiny-m", "ekfac", "mrr"): 0.9}
    assert {of: value for of, (value, _) in rows(project).items()} == expected
    assert "measured" not in rows(project)["tiny-m", "ekfac", "lds"][1]
    assert main(["build", str(project)]) == 0
    assert {of: value for of, (value, _) in rows(project).items()} == expected
    save_figures(path, folder, [member], "whence evaluate tiny.toml --quick")
    now = json.loads(path.read_text())["models"]
    assert [each["model"] for each in now] == ["another", "tiny-m", "tiny-m"]  # by two commands
    [row] = now[2]["tables"]["evaluation"]
    assert row == {
        "method": "ekfac",
        "metric": "lds",
        "value": 0.5,
        "detail": {"low": 0.4, "high": 0.6, "n": 9, "how": "here"},
    }
    assert now[2]["command"] == "whence evaluate tiny.toml --quick"
