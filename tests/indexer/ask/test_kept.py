"""Asked prompts outlive their process, stay bounded, and never fail the answer."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from indexer.ask import kept as asked
from indexer.ask.kept import FILE, cannot_keep, keep, kept, kept_job
from indexer.worker.job import job_id

RESULT = {"model": "m", "prompt": "A", "text": " b", "tokens": [{"text": " b"}]}


def request(n: int) -> dict:
    return {"folder": "f", "model": "m", "prompt": f"A{n}"}


def test_an_answer_comes_back_as_the_job_it_was(tmp_path):
    assert keep(tmp_path, request(1), RESULT) == ""
    job = kept_job(tmp_path, job_id(request(1)))
    assert job is not None
    assert (job.request, job.result, job.ended, job.error) == (request(1), RESULT, True, "")
    assert kept_job(tmp_path, "0" * 16) is None


def test_the_newest_are_kept_once_each(tmp_path, monkeypatch):
    monkeypatch.setattr(asked, "MOST", 3)
    for n in (1, 2, 3, 1, 4):
        keep(tmp_path, request(n), RESULT | {"text": str(n)})
    assert [each.text for each in kept(tmp_path).answers] == ["4", "1", "3"]


def test_without_a_folder_or_a_database_there_are_none(tmp_path):
    assert kept(tmp_path / "nowhere").answers == []
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be read as one" * 20)
    assert kept(tmp_path).answers == []
    assert FILE in keep(tmp_path, request(1), RESULT)


@pytest.mark.parametrize("text", ["'; DROP TABLE asked; --", "\u202e\u0000", "\ud800"])
def test_any_text_is_data(tmp_path, text):
    told = keep(tmp_path, request(1), RESULT | {"text": text})
    assert [each.text for each in kept(tmp_path).answers] == ([text] if told == "" else [])


@pytest.mark.parametrize(
    ("column", "value", "n_listed"),  # the list reads no result, and takes a number for the text that it was
    [
        *(("created_at", value, 1) for value in ("yesterday", "", 17, None, b"\xff")),
        *(("prompt", value, 1) for value in (None, b"\xff")),
        *(("prompt", value, 2) for value in (17, "another")),
        ("request", None, 1),
        *(("request", value, 2) for value in ("{", "null", "[]")),
        *(("result", value, 2) for value in ("{", '{"tokens": 1}', None, b"\xff", "[" * 100_000)),
        ("model", None, 1),
        ("text", 1.5, 2),
    ],
)
def test_a_row_that_was_changed_is_left_out_and_said(tmp_path, column, value, n_listed):
    for n in (1, 2):
        keep(tmp_path, request(n), RESULT)
    assert kept(tmp_path).notice == ""
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute(f"UPDATE asked SET {column} = ? WHERE asked_id = ?", [value, job_id(request(1))])  # noqa: S608
    db.close()
    job = kept_job(tmp_path, job_id(request(1)))
    assert job is not None
    assert job.ended
    assert FILE in job.error
    assert "ask again" in job.error
    good = kept_job(tmp_path, job_id(request(2)))
    assert good is not None
    assert good.error == ""
    listed = kept(tmp_path)
    assert job_id(request(2)) in [each.asked_id for each in listed.answers]
    assert len(listed.answers) == n_listed
    assert ("1 of the answers" in listed.notice) == (n_listed == 1)


def test_bytes_that_are_no_text_hide_no_other_answer(tmp_path):
    for n in (1, 2):
        keep(tmp_path, request(n), RESULT)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE asked SET prompt = CAST(x'41FF' AS TEXT) WHERE asked_id = ?", [job_id(request(1))])
    db.close()
    assert [each.prompt for each in kept(tmp_path).answers] == ["A", "A\N{REPLACEMENT CHARACTER}"]
    job = kept_job(tmp_path, job_id(request(1)))
    assert job is not None
    assert "ask again" in job.error


def test_whether_an_answer_can_be_kept_is_known_before(tmp_path):
    assert cannot_keep(tmp_path) == "" and kept(tmp_path).answers == []
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert cannot_keep(tmp_path).startswith(f"expected to keep this answer in {tmp_path / FILE}, found: ")
    assert cannot_keep(tmp_path / "nowhere") and not (tmp_path / "nowhere").exists()


def test_writers_do_not_lose_each_other(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path, start)) for start in (0, 10)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert len(kept(tmp_path).answers) == 20


def _write(folder: Path, start: int) -> None:
    for n in range(start, start + 10):
        assert keep(folder, request(n), RESULT) == ""
