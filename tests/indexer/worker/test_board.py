import pytest

from attribution.errors import TryAgain
from indexer.worker.board import Board, Limits


def ask(board, what, session="a", now=0.0):
    return board.submit({"what": what}, session, now)


def test_identical_requests_share_one_job():
    board = Board(Limits())
    first = ask(board, 1, "a")
    assert board.submit({"what": 1}, "b", 0.0).id == first.id
    assert board.next().id == first.id
    assert board.next() is None


def test_a_full_queue_refuses_and_the_running_job_is_not_counted():
    board = Board(Limits(queue=4, per_session=9))
    ask(board, 0)
    board.next()
    for i in range(1, 5):
        assert ask(board, i).position == i
    with pytest.raises(TryAgain, match="found 4 waiting"):
        ask(board, 5)
    assert ask(board, 4).position == 4  # joining one that waits is always possible


def test_a_session_has_its_share_and_others_have_theirs():
    board = Board(Limits(per_session=2))
    ask(board, 0), ask(board, 1)
    with pytest.raises(TryAgain, match="at most 2"):
        ask(board, 2)
    assert ask(board, 2, "b").position == 2


def test_a_job_is_cancelled_when_the_last_session_has_left():
    board = Board(Limits())
    waiting, running = ask(board, 1), None
    board.leave(waiting.id, "a")
    assert board.job(waiting.id).state == "cancelled"
    running = ask(board, 2, "a")
    ask(board, 2, "b")
    board.next()
    board.leave(running.id, "a")
    assert not board.is_unwanted(running.id)
    board.leave(running.id, "b")
    assert board.is_unwanted(running.id)
    board.cancel(running.id)
    assert board.job(running.id).state == "cancelled"
    assert board.job(running.id).again
    assert ask(board, 2).state == "queued"  # asked again, computed again


def test_a_job_that_is_being_cancelled_is_asked_again_at_once():
    board = Board(Limits())
    job = ask(board, 1, "a")
    board.next()
    board.report(job.id, "exact", 0.5, {"known": True})
    board.leave(job.id, "a")
    ask(board, 1, "b", now=5.0)
    assert board.is_unwanted(job.id)  # the process was told, and ends this one
    board.cancel(job.id)
    assert (board.job(job.id).state, board.job(job.id).payload) == ("queued", {"known": True})
    assert not board.is_unwanted(job.id)
    board.leave(job.id, "b")
    assert board.job(job.id).state == "cancelled"


def test_who_asked_again_and_left_does_not_bring_it_back():
    board = Board(Limits())
    job = ask(board, 1, "a")
    board.next()
    board.leave(job.id, "a")
    ask(board, 1, "b")
    board.leave(job.id, "b")
    board.cancel(job.id)
    assert board.job(job.id).state == "cancelled"


def test_all_sizes_of_one_question_are_one_question():
    board = Board(Limits(queue=1, per_session=1))
    sizes = [board.submit({"prompt": "p", "model": size}, "a", 0.0) for size in "sml"]
    assert [each.position for each in sizes] == [0, 1, 2]
    with pytest.raises(TryAgain, match="found 1 waiting"):
        board.submit({"prompt": "q", "model": "s"}, "b", 0.0)
    board.next()
    for each in sizes[1:]:
        board.leave(each.id, "a")
    with pytest.raises(TryAgain, match="at most 1"):
        board.submit({"prompt": "q", "model": "s"}, "a", 0.0)
    assert board.submit({"prompt": "q", "model": "s"}, "b", 0.0).state == "queued"


def test_what_was_known_of_a_job_that_was_cut_short_stays_until_more_is_known():
    board = Board(Limits())
    job = ask(board, 1)
    board.next()
    board.report(job.id, "exact", 0.5, {"text": 1, "documents": 2})
    board.fail(job.id, "stopped", again=True)
    assert (board.job(job.id).payload, board.job(job.id).again) == ({"text": 1, "documents": 2}, True)
    assert board.submit({"what": 1}, "a", 0.0, seconds=360.0).seconds == 360.0
    board.next()
    board.report(job.id, "begun", 0.1, {"text": 1})
    assert board.job(job.id).payload == {"text": 1, "documents": 2}
    board.report(job.id, "more", 0.9, {"text": 1, "documents": 2, "heat": 3})
    assert board.job(job.id).payload == {"text": 1, "documents": 2, "heat": 3}


def test_who_stops_asking_has_left():
    board = Board(Limits(absent_seconds=30))
    job = ask(board, 1, "a", now=0.0)
    board.touch(job.id, "a", 25.0)
    board.forget_absent(50.0)
    assert board.job(job.id).state == "queued"
    board.forget_absent(56.0)
    assert board.job(job.id).state == "cancelled"


def test_results_are_cached_within_bounds_and_failures_are_not_repeated_from_cache():
    board = Board(Limits(cached_jobs=2, per_session=9))
    ids = []
    for i in range(3):
        ids.append(ask(board, i).id)
        board.next()
        board.finish(ids[-1], {"i": i})
    assert board.job(ids[0]) is None
    assert ask(board, 2).result == {"i": 2}
    failed = ask(board, "bad")
    board.next()
    board.fail(failed.id, "why")
    assert board.job(failed.id).error == "why"
    assert ask(board, "bad").state == "queued"


def test_the_cache_is_bounded_in_bytes_but_keeps_the_last():
    board = Board(Limits(cached_bytes=100, per_session=9))
    for i in range(2):
        job = ask(board, i)
        board.next()
        board.finish(job.id, {"text": "x" * 200})
    assert board.job(job.id).result
    assert sum(board.job(ask(board, i).id).state == "done" for i in range(2)) == 1


def test_progress_is_clamped_and_keeps_the_last_payload():
    board = Board(Limits())
    job = ask(board, 1)
    board.next()
    board.report(job.id, "index", 7.0, {"first": True})
    board.report(job.id, "exact", 0.5, None)
    assert board.job(job.id).payload == {"first": True}
    assert (board.job(job.id).stage, board.job(job.id).fraction) == ("exact", 0.5)
