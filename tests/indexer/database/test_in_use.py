"""A database that another process has open for writing is whole, and said to be in use."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from attribution.errors import TryAgain
from indexer.__main__ import main
from indexer.database.check import check
from indexer.database.reader import Database
from indexer.database.snapshot_file import in_use
from tests.synthetic_database import build_synthetic

WRITER = """
import sys, duckdb
db = duckdb.connect(sys.argv[1])
if sys.argv[2] == "log":
    db.execute("PRAGMA disable_checkpoint_on_shutdown; CREATE TABLE mine (x INTEGER); INSERT INTO mine VALUES (1)")
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["no log", "log"])
def taken(tmp_path, request) -> Iterator[tuple]:
    path = build_synthetic(tmp_path)
    path.chmod(0o644)
    code = [sys.executable, "-c", WRITER, str(path), request.param]
    with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "open\n"
        yield path, writer
        writer.stdin.close()


def test_input_32_it_is_in_use_and_not_damaged(taken, capsys):
    path, writer = taken
    with pytest.raises(TryAgain, match=rf"in use by process {writer.pid} \(python") as told:
        Database(path.parent).current()
    assert told.value.exit_code == 75
    with pytest.raises(TryAgain, match=f"in use by process {writer.pid}"):
        check(path.parent)
    assert main(["check", str(path.parent)]) == 75
    said = capsys.readouterr().err
    assert f"in use by process {writer.pid}" in said
    assert said.count("\n") == 1


def test_input_32_any_other_error_is_none(tmp_path):
    assert in_use(OSError("no such file"), tmp_path) is None
