"""`build --model NAME` keeps what is finished of other sizes; `gc` removes sizes that the configuration has lost."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from indexer.__main__ import main
from indexer.database.check import check, content_hash
from indexer.database.snapshot_file import read_current
from indexer.journal.stages import drop, finished
from indexer.search.text_index import TextIndex
from indexer.size import factors
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import PROMPTS, write_project


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setattr(factors, "stage", stage_here)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    config = write_project(tmp_path_factory.mktemp("sizes"))
    config.write_text(config.read_text().replace("epochs = 12", "epochs = 2"))
    assert main(["train", str(config)]) == 0
    return config


@pytest.fixture(scope="module")
def built(trained) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["build", str(trained)]) == 0
    return trained.parent / "build"


@pytest.fixture
def config(trained, built, tmp_path) -> Path:
    """Of both sizes, built."""
    shutil.copytree(built, tmp_path / "build")
    config = trained.with_name(f"{tmp_path.name}.toml")
    config.write_text(trained.read_text().replace('folder = "build"', f'folder = "{tmp_path}/build"'))
    return config


def published(folder: Path) -> Path:
    current = read_current(folder)
    assert current is not None
    return folder / current.database


def rows(folder: Path, query: str) -> list:
    with duckdb.connect(str(published(folder)), read_only=True) as db:
        return db.execute(query).fetchall()


def models(folder: Path) -> set[str]:
    return {name for (name,) in rows(folder, "SELECT name FROM model")}


def test_a_build_of_one_size_changes_nothing_where_all_is_built(config, tmp_path, capsys):
    before, parts = content_hash(published(tmp_path / "build")), finished(tmp_path / "build")
    assert main(["build", str(config), "--model", "tiny-s"]) == 0
    assert "kept as built before: tiny-m" in capsys.readouterr().err
    assert content_hash(published(tmp_path / "build")) == before
    assert {part.folder for part in finished(tmp_path / "build")} == {part.folder for part in parts}


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "from before it was kept"])
def test_what_the_text_proposes_is_searched_for_once(kept, config, tmp_path, monkeypatch):
    """A size that is not built may be given nothing: what is not kept of it is looked for."""
    folder, searched = tmp_path / "build", []
    if not kept:
        drop(folder, [part for part in finished(folder) if part.stage == "lexical-tiny-m"])
    before, search = content_hash(published(folder)), TextIndex.search

    def noted(*of):
        searched.append(of)
        return search(*of)

    monkeypatch.setattr(TextIndex, "search", noted)
    assert main(["build", str(config), "--model", "tiny-s"]) == 0
    assert content_hash(published(folder)) == before
    assert models(folder) == {"tiny-s", "tiny-m"}
    assert len(searched) == (0 if kept else len(PROMPTS))


def test_one_size_anew_leaves_the_other_as_it_was(config, tmp_path):
    folder = tmp_path / "build"
    drop(folder, [part for part in finished(folder) if part.stage in ("scores-tiny-s", "about-tiny-s")])
    parts = {part.stage: part.seconds for part in finished(folder)}
    assert main(["build", str(config), "--model", "tiny-s"]) == 0
    assert models(folder) == {"tiny-s", "tiny-m"}
    assert rows(folder, "SELECT count(DISTINCT model_id) FROM influence JOIN run USING (run_id)") == [(2,)]
    assert check(folder) == []
    made = {part.stage: part.seconds for part in finished(folder)}
    assert {stage: made[stage] for stage in parts} == parts


@pytest.mark.parametrize("lost", ["part", "settings", "weights"])
def test_a_size_of_which_something_is_missing_is_left_out_and_said(lost, config, trained, tmp_path, capsys):
    folder = tmp_path / "build"
    if lost == "part":
        drop(folder, [part for part in finished(folder) if part.stage == "scores-tiny-m"])
    elif lost == "settings":
        config.write_text(config.read_text().replace("token_losses = 2", "token_losses = 2\nrank = 2"))
    else:
        config.write_text(config.read_text().replace("models/tiny-m", "models/none"))
    assert main(["build", str(config), "--model", "tiny-s"]) == 0
    said = capsys.readouterr().err
    assert models(folder) == {"tiny-s"}
    assert "kept as built before" not in said
    assert lost == "weights" or "tiny-m: not built with these settings, left out" in said
    assert check(folder) == []


def test_prompts_of_a_kept_size_stay_and_those_of_a_lost_one_go(trained, tmp_path):
    other = trained.with_name("other.jsonl")
    other.write_text(json.dumps({"prompt": "People in Fiji pay in the"}) + "\n")
    text = trained.read_text().replace('folder = "build"', f'folder = "{tmp_path}/build"')
    text = text.replace('path = "models/tiny-m"\n', 'path = "models/tiny-m"\nprompts = "other.jsonl"\n')
    config, folder = trained.with_name(f"{tmp_path.name}.toml"), tmp_path / "build"
    config.write_text(text)
    assert main(["build", str(config)]) == 0
    asked = "SELECT count(*) FROM prompt"
    assert rows(folder, asked) == [(len(PROMPTS) + 1,)]
    assert main(["build", str(config), "--model", "tiny-s"]) == 0
    assert rows(folder, asked) == [(len(PROMPTS) + 1,)]
    drop(folder, [part for part in finished(folder) if part.stage == "scores-tiny-m"])
    assert main(["build", str(config), "--model", "tiny-s"]) == 0
    assert rows(folder, asked) == [(len(PROMPTS),)]


def test_gc_removes_all_stages_of_a_size_that_the_configuration_has_lost(config, tmp_path, capsys):
    folder, whole = tmp_path / "build", config.read_text()
    assert main(["gc", str(folder)]) == 0
    assert {"factors-tiny-m", "answers-tiny-m"} <= {part.stage for part in finished(folder)}
    start, stop = whole.index("[[model]]"), whole.rindex("[[model]]")
    config.write_text(whole[:start] + whole[stop:])
    assert main(["build", str(config)]) == 0
    capsys.readouterr()
    assert main(["gc", str(folder), "--keep", "1"]) == 0
    assert "parts/factors-tiny-m" in capsys.readouterr().out
    left = {part.stage for part in finished(folder)}
    assert not [stage for stage in left if "tiny-m" in stage]
    assert {"factors-tiny-s", "answers-tiny-s", "corpus-tiny-s", "documents", "text"} <= left
    assert not list((folder / "parts").glob("*tiny-m*/*"))
    assert check(folder) == []
    config.write_text(whole)
    assert main(["build", str(config), "--model", "tiny-m"]) == 0  # a size that is added again is built again
    assert models(folder) == {"tiny-s", "tiny-m"}
