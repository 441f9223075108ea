"""One real process, started once; every test leaves it able to serve the next."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from attribution.errors import BadInput, TryAgain
from indexer.worker import child, client, process
from indexer.worker.board import Limits
from indexer.worker.child import Child
from indexer.worker.client import Worker
from indexer.worker.process import resolve

FUNCTION = "tests.indexer.worker.jobs:run"


@pytest.fixture(scope="module")
def worker():
    made = Worker(FUNCTION, Limits(queue=4, per_session=9), seconds=4.0, memory_bytes=200 << 20, cancel_seconds=0.5)
    yield made
    made.close()


def outcome(worker, request, session="s", seconds=30.0):
    return worker.wait(worker.submit(request, session).id, seconds)


def test_a_job_is_computed_once_and_remembered(worker, tmp_path):
    request = {"do": "echo", "value": "ü", "name": "once", "log": str(tmp_path / "log")}
    first = outcome(worker, request)
    assert (first.state, first.result["echo"]) == ("done", "ü")
    assert outcome(worker, request, "another session").result == first.result
    assert (tmp_path / "log").read_text() == "once\n"


def test_progress_and_a_first_result_are_seen_before_the_end(worker):
    job = worker.submit({"do": "count", "n": 40}, "s")
    seen = set()
    while not (now := worker.job(job.id)).ended:
        seen.add((now.stage, now.payload["i"] if now.payload else None))
        time.sleep(0.02)
    assert len(seen) > 5
    assert now.result["echo"] is None


def test_an_abandoned_job_is_cancelled_and_the_process_stays(worker):
    pid = outcome(worker, {"do": "echo", "value": "pid"}).result["pid"]
    job = worker.submit({"do": "count", "n": 10_000}, "s")
    while worker.job(job.id).stage != "counting":
        time.sleep(0.02)
    worker.leave(job.id, "s")
    assert worker.wait(job.id, 5).state == "cancelled"
    assert outcome(worker, {"do": "echo", "value": "pid again"}).result["pid"] == pid


def test_what_was_cancelled_is_computed_when_it_is_asked_again(worker):
    request = {"do": "count", "n": 60}
    job = worker.submit(request, "s")
    while worker.job(job.id).stage != "counting":
        time.sleep(0.02)
    worker.leave(job.id, "s")
    worker.submit(request, "s")  # while it is being cancelled
    again = worker.wait(job.id, 20)
    assert (again.state, again.result["echo"], "stopped_at" in again.result) == ("done", None, False)


def test_who_stops_asking_has_left_and_the_job_ends():
    """A closed page says nothing; a page that is open asks again and again."""
    made = Worker(FUNCTION, Limits(absent_seconds=1.0), cancel_seconds=1.0)
    try:
        made.wait(made.submit({"do": "echo"}, "ready").id, 30)
        job = made.submit({"do": "count", "n": 10_000}, "open")
        made.submit({"do": "count", "n": 10_000}, "closed")
        for _ in range(15):
            time.sleep(0.1)
            made.touch(job.id, "open")
        assert made.job(job.id).state == "running"
        assert made.wait(job.id, 10).state == "cancelled"
        assert outcome(made, {"do": "echo", "value": "next"}).state == "done"
    finally:
        made.close()


def test_six_jobs_at_once_the_sixth_is_refused(worker):
    worker.wait(worker.submit({"do": "echo", "value": "ready"}, "s").id, 10)
    jobs = [worker.submit({"do": "count", "n": 20, "which": 0}, "s")]
    while worker.job(jobs[0].id).state != "running":
        time.sleep(0.01)
    jobs += [worker.submit({"do": "count", "n": 2, "which": which}, "s") for which in range(1, 5)]
    with pytest.raises(TryAgain, match="queue"):
        worker.submit({"do": "count", "n": 2, "which": 5}, "s")
    assert all(worker.wait(job.id, 10).state == "done" for job in jobs)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("hang", "stopped after 4 s"),
        ("die", "exit code 9"),
        ("raise", "exit code 1"),
        ("eat", "at most 0.2;"),
    ],
)
def test_a_bad_job_fails_and_the_next_is_served_within_six_seconds(worker, what, message):
    job = outcome(worker, {"do": what, "again": time.time()})
    ended = time.monotonic()
    assert (job.state, message in job.error) == ("failed", True), job.error
    assert outcome(worker, {"do": "echo", "value": what}).state == "done"
    assert time.monotonic() - ended < 6


def test_what_a_job_knew_outlives_its_time_and_more_time_may_be_given(worker):
    request = {"do": "count", "n": 240}  # five seconds or more, of four that are allowed
    cut = outcome(worker, request)
    assert (cut.state, cut.again, "stopped after 4 s" in cut.error, cut.payload["i"] > 50) == (
        "failed",
        True,
        True,
        True,
    )
    assert worker.wait(worker.submit(request, "s", longer=5.0).id, 30).state == "done"


def test_a_refusal_is_its_message_and_harms_nothing(worker):
    pid = outcome(worker, {"do": "echo", "value": "before a refusal"}).result["pid"]
    refused = outcome(worker, {"do": "refuse"})
    assert (refused.error, refused.again) == ("expected a prompt, found none; write one", False)
    assert outcome(worker, {"do": "echo", "value": "after a refusal"}).result["pid"] == pid


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_killed_or_stopped_from_outside(worker, how):
    pid = outcome(worker, {"do": "echo", "value": f"for {how}"}).result["pid"]
    job = worker.submit({"do": "count", "n": 10_000, "how": how}, "s")
    while worker.job(job.id).stage != "counting":
        time.sleep(0.02)
    os.kill(pid, how)
    assert worker.wait(job.id, 10).state == "failed"
    begun = time.monotonic()
    assert outcome(worker, {"do": "echo", "value": f"after {how}"}).result["pid"] != pid
    assert time.monotonic() - begun < 6


def test_an_idle_process_that_died_is_replaced_unnoticed(worker):
    pid = outcome(worker, {"do": "echo", "value": "idle"}).result["pid"]
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    assert outcome(worker, {"do": "echo", "value": "idle again"}).state == "done"


def test_a_function_that_is_not_there_fails_its_job_and_is_not_tried_for_ever():
    worker = Worker("tests.indexer.worker.jobs:nothing")
    job = outcome(worker, {"do": "echo"})
    assert (job.state, "exit code 1" in job.error) == ("failed", True)
    worker.close()


def test_a_process_that_cannot_be_started_fails_its_job_and_the_next_one_is_tried(monkeypatch):
    begun = []

    def start(*given):
        begun.append(given)
        if len(begun) <= 2:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return Child(*given)

    monkeypatch.setattr(client, "Child", start)
    worker = Worker(FUNCTION)
    try:
        worker.warm()
        while not begun:
            time.sleep(0.01)
        failed = outcome(worker, {"do": "echo"})
        assert (failed.state, failed.again) == ("failed", True)
        assert failed.error == "The computing process could not be started: Resource temporarily unavailable."
        assert outcome(worker, {"do": "echo"}).state == "done"
        assert len(begun) == 3
    finally:
        worker.close()


def test_what_a_process_was_to_listen_to_is_closed_when_it_cannot_be_started(monkeypatch):
    pair = socket.socketpair()
    monkeypatch.setattr(child.socket, "socketpair", lambda: pair)
    monkeypatch.setattr(child.sys, "executable", "/no such program")
    with pytest.raises(FileNotFoundError):
        Child(FUNCTION)
    assert [each.fileno() for each in pair] == [-1, -1]


def test_the_process_ends_with_its_dashboard(tmp_path):
    script = (
        "import os\n"
        "from indexer.worker.client import Worker\n"
        f"worker = Worker({FUNCTION!r})\n"
        "print(worker.wait(worker.submit({'do': 'echo'}, 's').id, 30).result['pid'], flush=True)\n"
        "worker.submit({'do': 'hang'}, 's')\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    pid = int(done.stdout)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("the worker outlived its dashboard")


def test_the_client_never_imports_torch():
    code = "import sys, indexer.worker.client; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_package_that_is_missing_is_told_with_what_installs_it(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import no_such_package_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match=r"no_such_package_anywhere, found it missing; run `pip install"):
        resolve("needs_more:run")({}, lambda *_: None, lambda: False)
    with pytest.raises(ModuleNotFoundError):
        resolve("tests.no_such_module:run")
    monkeypatch.setattr(process, "installed", lambda _: "1.0")  # it is there, and cannot be imported
    (tmp_path / "needs_yet_more.py").write_text("import no_such_package_anywhere\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_package_anywhere"):
        resolve("needs_yet_more:run")({}, lambda *_: None, lambda: False)
