"""A file holds the rows that Python is told, and a mistake leaves none."""

import json
from pathlib import Path

import pandas as pd
import pytest

from whence.command import main
from whence.runs import Runs


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["rows"])
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, keep_default_na=False)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_the_answers_of_a_size(runs: Runs, folder: Path, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"answers{ending}"
    assert main(["export", str(folder), str(file), "--model", "synth-m"]) == 0
    names = ["generation_id", "model", "prompt", "text", "right"]
    made, told = read(file)[names].astype(str), runs.answers(model="synth-m")[names].astype(str)
    pd.testing.assert_frame_equal(made, told, check_dtype=False)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json"])
def test_the_documents_behind_a_token(runs: Runs, folder: Path, tmp_path: Path, ending: str) -> None:
    generation_id = runs.answers()["generation_id"][0]
    given = ["--answer", generation_id, "--token", "1", "--normaliser", "relatif_l"]
    assert main(["export", str(folder), str(tmp_path / f"documents{ending}"), *given]) == 0
    made, told = read(tmp_path / f"documents{ending}"), runs.documents(generation_id, 1, "relatif_l")
    assert told.pop("change").isna().all()  # this size has no slope
    assert all(each is None or each == "" or each != each for each in made.pop("change"))
    pd.testing.assert_frame_equal(made, told, check_dtype=False)


def test_a_file_says_what_it_is_about(runs: Runs, folder: Path, tmp_path: Path) -> None:
    answer = runs.answer(runs.answers()["generation_id"][0])
    file = tmp_path / "all.json"
    file.write_text("older")
    assert main(["export", str(folder), str(file), "--answer", answer.generation_id]) == 0
    said = json.loads(file.read_text(encoding="utf-8"))
    assert (said["model"], said["prompt"], said["explained"]) == (answer.model, answer.prompt, "the whole answer")
    assert len(said["rows"]) == len(answer.documents())


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("a.xlsx", [], ".csv, .parquet, .json"),
        ("a.csv", ["--token", "0"], "--answer"),
        ("a.csv", ["--normaliser", "cosine"], "--answer"),
        ("a.csv", ["--answer", "none"], "generation_id"),
        ("a.csv", ["--answer", "none", "--model", "synth-m"], "found both"),
        ("a.csv", ["--model", "none"], "synth-s"),
        ("nowhere/a.csv", [], "expected a folder for the table, found none at"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, given: list[str], said: str
) -> None:
    assert main(["export", str(folder), str(tmp_path / name), *given]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert not (tmp_path / name).exists()


def test_nothing_that_a_build_reads_or_is_made_of_is_written_over(
    demo: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    project = demo / "data" / "demo"
    shard = next((project / "build" / "parts").rglob("*.parquet"))
    (tmp_path / "a.csv").mkdir()
    for file in (project / "models" / "tiny-s" / "config.json", shard):
        before = file.read_bytes()
        assert main(["export", str(project / "build"), str(file)]) == 2
        assert "expected another file for the table than what is read" in capsys.readouterr().err
        assert file.read_bytes() == before
    assert main(["export", str(project / "build"), str(tmp_path / "a.csv")]) == 2
    assert "expected a file for the table, found a folder at" in capsys.readouterr().err
