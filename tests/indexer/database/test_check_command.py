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


def test_a_folder_without_a_build_is_a_mistake(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
