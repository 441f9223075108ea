"""`check` and `gc` from the command line: what they print, and how they end."""

from pathlib import Path

import pytest

from indexer.__main__ import main
from tests.synthetic_database import build_synthetic


@pytest.fixture
def folder(tmp_path) -> Path:
    build_synthetic(tmp_path / "build")
    return tmp_path / "build"


def test_a_whole_folder_is_said_to_be_whole(folder, capsys):
    assert main(["check", str(folder)]) == 0
    assert "as they were written" in capsys.readouterr().out


def test_a_flipped_bit_is_named_and_repaired(folder, capsys):
    shard = next(folder.glob("parts/**/influence*.parquet"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    assert main(["check", str(folder)]) == 4
    told = capsys.readouterr()
    assert shard.name in told.out
    assert len(told.err.strip().splitlines()) == 1
    assert main(["check", str(folder), "--repair"]) == 0
    capsys.readouterr()
    assert main(["check", str(folder)]) == 0


def test_the_newest_database_stays(folder):
    assert main(["gc", str(folder), "--keep", "1"]) == 0
    assert len(list(folder.glob("snap-*.duckdb"))) == 1
    assert main(["check", str(folder)]) == 0


@pytest.mark.parametrize("command", [["check"], ["check", "--repair"], ["gc"]])
def test_a_folder_without_a_build_is_a_mistake(tmp_path, capsys, command):
    """And nothing in it is touched: `parts` and `.partial` are names that others use too."""
    mine = [tmp_path / "parts" / "a" / "b", tmp_path / "notes.partial.txt"]
    mine[0].parent.mkdir(parents=True)
    for file in mine:
        file.write_text("mine")
    there = sorted(tmp_path.rglob("*"))
    for folder in (tmp_path, tmp_path / "bulid"):  # one that is there, and one that is not
        assert main([*command, str(folder)]) == 2
        said = capsys.readouterr().err
        assert "found nothing of a build in" in said and said.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == there


@pytest.mark.parametrize("keep", ["0", "-5"])
def test_no_database_to_keep_is_a_mistake(folder, capsys, keep):
    there = sorted(folder.rglob("*"))
    assert main(["gc", str(folder), "--keep", keep]) == 2
    assert f"expected at least 1 database for --keep, found {keep}" in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == there
