"""What a dashboard shows while a build works beside it, and when what is published was damaged."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from indexer.database import publish as publishing
from indexer.database.snapshot_file import snapshots
from indexer.journal.lock import lock
from tests.dashboard.drawn import components, words
from tests.synthetic_database import build_synthetic

Open = Callable[..., AppTest]
TAKEN = "snapshot of this rerun"


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy of the build, to change."""
    return Path(shutil.copytree(folder, tmp_path / "build"))


def test_during_indexing_it_shows_the_last_snapshot(open_app: Open, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app(where=own)
    before, seen = components(app, "document_list"), []

    def look(point: str) -> None:
        app.run()
        assert not app.exception
        assert components(app, "document_list") == before, point
        seen.append((point, app.session_state[TAKEN].generation))

    monkeypatch.setattr(publishing, "fault", look)
    with lock(own):
        half = own / "parts" / "scores" / "synth-s-0.partial"
        half.mkdir()
        (half / "influence.parquet").write_bytes(b"PAR1 half")
        look("partition.start")
        build_synthetic(own, seed=1)
    assert {generation for _, generation in seen} == {1}
    assert len(seen) > 6
    app.run()
    assert app.session_state[TAKEN].generation == 2
    assert components(app, "document_list") != before
    assert "showing generation" not in words(app)


def _damage(path: Path, how: str) -> None:
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        os.truncate(path, 5000)
    elif how == "garbage":
        path.write_bytes(random.Random(0).randbytes(path.stat().st_size))
    elif how == "stale log":
        path.with_name(path.name + ".wal").write_bytes(bytes(100))


DAMAGES = ["missing", "truncated", "garbage", "stale log"]


@pytest.mark.parametrize("how", DAMAGES)
def test_the_old_generation_is_shown_and_it_is_said(open_app: Open, own: Path, how: str) -> None:
    build_synthetic(own, seed=1)
    _damage(snapshots(own)[0][1], how)
    app = open_app(where=own)
    assert not app.exception
    assert "showing generation 1 instead" in words(app)
    assert components(app, "token_strip")


@pytest.mark.parametrize("how", DAMAGES)
def test_without_an_old_one_the_page_says_what_to_do(open_app: Open, own: Path, how: str) -> None:
    _damage(snapshots(own)[0][1], how)
    app = open_app(where=own)
    assert not app.exception
    assert components(app, "token_strip") == []
    said = words(app)
    assert "The database cannot be read" in said or how == "missing"
    assert "whence " in said


def test_a_block_that_changed_under_its_right_size_is_told_when_it_is_read(open_app: Open, own: Path) -> None:
    """Opening a file does not read all of it: DuckDB's own checksums find it later."""
    path = snapshots(own)[0][1]
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : 2 * len(content) // 3] = bytes(len(content) // 3 + 1)
    path.write_bytes(content[: path.stat().st_size])
    app = open_app(where=own)
    assert not app.exception
    assert "check --repair" in words(app)
