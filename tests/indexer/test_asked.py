"""Asked prompts outlive their process, stay bounded, and never fail the answer."""

import multiprocessing
from pathlib import Path

import pytest

from indexer import asked
from indexer.asked import FILE, keep, kept, kept_job
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
    assert [each.text for each in kept(tmp_path)] == ["4", "1", "3"]


def test_without_a_folder_or_a_database_there_are_none(tmp_path):
    assert kept(tmp_path / "nowhere") == []
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be read as one" * 20)
    assert kept(tmp_path) == []
    assert FILE in keep(tmp_path, request(1), RESULT)


@pytest.mark.parametrize("text", ["'; DROP TABLE asked; --", "\u202e\u0000", "\ud800"])
def test_any_text_is_data(tmp_path, text):
    told = keep(tmp_path, request(1), RESULT | {"text": text})
    assert [each.text for each in kept(tmp_path)] == ([text] if told == "" else [])


def test_writers_do_not_lose_each_other(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path, start)) for start in (0, 10)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert len(kept(tmp_path)) == 20


def _write(folder: Path, start: int) -> None:
    for n in range(start, start + 10):
        assert keep(folder, request(n), RESULT) == ""
