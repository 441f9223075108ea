"""A new prompt from the box of the frame to its answer, with a stand-in for the model in the worker process."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest import MonkeyPatch
from streamlit.testing.v1 import AppTest

from attribution.errors import BadInput, TryAgain
from dashboard.asking import jobs
from dashboard.widgets import ask_box
from dashboard.widgets.size_switch import ALL
from indexer.ask.kept import keep, kept_job
from indexer.database.reader import Snapshot
from indexer.worker.job import DONE, RUNNING, Job, cancelled, job_id
from tests.dashboard.address.test_bar import navigate
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(jobs.FUNCTION_VARIABLE, "tests.browser.stub_ask:run")
    yield
    jobs.worker().close()


def ask(app: AppTest, prompt: str) -> AppTest:
    app.text_input(key="ask text").set_value(prompt)
    next(button for button in app.button if button.label == "Ask").click()
    return app.run()


def until(app: AppTest, true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
        app.run()
    raise AssertionError(words(app))


def test_the_answer_comes_with_its_saliency(open_app: Open) -> None:
    app = ask(open_app(), "The capital of France is")
    assert not app.exception
    assert app.query_params["job"]
    for _ in range(300):  # the map is asked for when the answer is there, and somebody looks
        strips = components(app, "token_strip")
        if strips and strips[0]["prompt"] and strips[0]["prompt"][0]["v"] is not None:
            break
        time.sleep(0.1)
        app.run()
    assert [token["text"] for token in strips[0]["answer"]] == [" Paris", ".", "end of text"]
    assert [token["text"] for token in strips[0]["prompt"]] == ["The", " capital", " of", " France", " is"]
    assert strips[0]["first"] is None  # the whole answer, of which nothing is scored yet
    assert "its documents are not computed" in " ".join(each.value for each in app.caption)


def test_nothing_asked_is_told(open_app: Open) -> None:
    app = ask(open_app(), "   ")
    assert "Expected the beginning of a sentence" in words(app)


def test_why_a_question_was_refused_is_said_until_something_is_chosen_or_asked(open_app: Open) -> None:
    told = "Expected the beginning of a sentence"
    app = ask(open_app(), "   ")
    app.run()  # as a job that is under way does
    assert told in words(app)
    app.selectbox(key="ask size").set_value("synth-m").run()
    assert told not in words(app)
    ask(app, "   ")
    assert told in words(app)
    ask(app, "The capital of France is")
    assert told not in words(app)
    ask(app, "   ")
    navigate(app, "runs")
    assert told not in words(app)


def test_a_method_that_cannot_wait_in_the_queue_is_told_until_something_is_chosen(
    open_app: Open, monkeypatch: MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise TryAgain("expected a free place in the queue, found 4 waiting; ask again in a minute")

    monkeypatch.setattr(jobs, "submit_saliency", full)
    app = open_app({"token": "1"})
    next(each for each in app.selectbox if each.label == "Compute another method").set_value("shapley").run()
    app.run()
    assert "found 4 waiting" in words(app)
    app.selectbox(key="ask size").set_value("synth-s").run()
    assert "found 4 waiting" not in words(app)


def test_a_failing_worker_is_told(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jobs.FUNCTION_VARIABLE, "tests.browser.no_such_module:run")
    app = ask(open_app(), "Hello")
    for _ in range(300):
        if words(app):
            break
        time.sleep(0.1)
        app.run()
    assert not app.exception
    assert words(app)


def test_a_question_with_documents_of_its_own_opens_what_it_took_from_them(open_app: Open) -> None:
    docs = [{"title": "Peru", "text": "It is Lima."}, {"text": "Oslo"}]
    line = json.dumps({"question": "What is the capital of Peru?", "docs": docs})
    app = ask(open_app(), line)
    for _ in range(300):
        if components(app, "document_list"):
            break
        time.sleep(0.1)
        app.run()
    assert not app.exception
    [cards] = components(app, "document_list")
    assert [card["title"] for card in cards["items"]] == ["Peru", "document 2"]
    assert "first for Leave one out" in str(cards["items"][0]["badges"])
    assert "Notice: document 3 is empty and was left out." in words(app)


def test_of_a_question_without_ablations_the_rest_is_shown(open_app: Open, monkeypatch: MonkeyPatch) -> None:
    """`masks = 0` leaves none out; and of one that was cancelled before they came nothing is promised."""
    parts = [{"part": 0, "kind": "document", "title": "Peru", "start": 0, "stop": 11}]
    parts += [{"part": 1, "kind": "document", "title": "Oslo", "start": 12, "stop": 16}]
    result = {"model": "synth-m", "prompt": "It is Lima. Oslo", "text": " Lima", "parts": parts}
    result["tokens"] = [{"text": " Lima", "start": 0, "stop": 5, "logp": -0.1}]
    held = {"ended": Job("j", {"model": "synth-m"}, state=DONE, result=result | {"ablation": [], "saliency": {}})}
    monkeypatch.setattr(jobs, "news", lambda _: held["ended"])
    app = open_app({"job": "j"}, screen="context")
    assert not app.exception
    [cards] = components(app, "document_list")
    assert [card["title"] for card in cards["items"]] == ["Peru", "Oslo"]
    held["ended"] = cancelled(Job("j", {"model": "synth-m"}, payload=result | {"left": ["something"]}))
    app.run()
    assert not app.exception and not components(app, "document_list")
    assert "yet" not in " ".join(each.value for each in app.caption) + words(app)


def test_the_form_asks_a_question_over_documents_that_were_written_into_it(open_app: Open) -> None:
    app = open_app(screen="context")
    press = {button.label: button for button in app.button}
    press["Ask these documents"].click().run()
    assert "Expected a question, found none" in words(app)
    app.text_input(key="context question").set_value("What is the capital of Peru?")
    app.run()
    next(button for button in app.button if button.label == "Ask these documents").click().run()
    assert "Expected a document, found none" in words(app)
    next(button for button in app.button if button.label == "Add a document").click().run()
    app.text_input(key="context title 1").set_value("Peru")
    app.text_area(key="context text 1").set_value("It is Lima. It lies by the sea.")
    app.text_area(key="context text 3").set_value("Oslo")
    app.run()
    next(button for button in app.button if button.label == "Ask these documents").click().run()
    until(app, lambda: bool(components(app, "document_list")))
    [cards] = components(app, "document_list")
    assert [card["title"] for card in cards["items"]] == ["Peru", "document 2"]
    asked = jobs.worker().job(app.query_params["job"]).request
    assert asked["docs"] == [
        {"title": "Peru", "text": "It is Lima. It lies by the sea."},
        {"title": "", "text": "Oslo"},
    ]


def test_the_form_takes_json_and_tells_what_is_none(open_app: Open) -> None:
    app = open_app(screen="context")
    for text, told in (("Peru", "Expected JSON with 'docs', found 'Peru'"), ('{"question": ', "expected JSON")):
        app.text_area(key="context json").set_value(text)
        app.run()
        next(button for button in app.button if button.label == "Ask this JSON").click().run()
        assert told in words(app)
    app.text_area(key="context json").set_value('{"question": "Which?", "docs": [{"text": "It is Lima."}]}')
    app.run()
    next(button for button in app.button if button.label == "Ask this JSON").click().run()
    until(app, lambda: bool(components(app, "document_list")))
    assert not app.exception
    assert "there is nothing to compare it with" in words(app)


@pytest.mark.parametrize(
    ("line", "told"), [('{"question": ', "expected JSON"), ('{"question": "", "docs": []}', "an empty one")]
)
def test_a_line_that_is_no_prompt_is_told(open_app: Open, line: str, told: str) -> None:
    app = ask(open_app(), line)
    for _ in range(300):
        if told in words(app):
            break
        time.sleep(0.1)
        app.run()
    assert not app.exception
    assert told in words(app)


def test_a_method_that_is_not_stored_is_computed_of_the_answer_that_is_shown(
    open_app: Open, snapshot: Snapshot
) -> None:
    """And nothing else: answer, size and estimator stay."""
    [row, *_] = snapshot.rows(
        "SELECT generation_id, run_id FROM generation JOIN run USING (model_id) ORDER BY run_id DESC, generation_id"
    )
    app = open_app({"generation": row["generation_id"], "run": row["run_id"], "token": "1"})
    before = components(app, "document_list")
    [box] = [each for each in app.selectbox if each.label == "Compute another method"]
    box.set_value("shapley").run()
    assert not app.exception
    of = dict(app.query_params)
    assert [of[name] for name in ("generation", "run", "token", "saliency")] == [
        row["generation_id"], row["run_id"], "1", "shapley",
    ]  # fmt: skip
    until(app, lambda: [each.value for each in app.selectbox if each.label == "Saliency method"] == ["shapley"])
    assert "job" not in app.query_params
    assert components(app, "document_list") == before
    [asked] = [job for job, _ in jobs.worker()._board._ended.values()]
    assert (asked.request["kind"], asked.request["generation_id"], asked.request["method"]) == (
        "saliency", row["generation_id"], "shapley",
    )  # fmt: skip


def test_a_prompt_in_all_sizes_lands_on_compare_in_one(open_app: Open) -> None:
    app = open_app()
    assert app.selectbox(key="ask size").options[-1] == "All sizes · synth-s, synth-m, synth-l"
    app.selectbox(key="ask size").set_value(ALL).run()
    ask(app, "The capital of France is")
    assert not app.exception
    until(app, lambda: [len(data["rows"]) for data in components(app, "size_grid")] == [3])
    [grid] = components(app, "size_grid")
    assert [row["size"] for row in grid["rows"]] == ["synth-s", "synth-m", "synth-l"]
    assert app.selectbox(key="ask size").value == ALL
    app.selectbox(key="ask size").set_value("synth-m").run()  # and back to one of them
    until(app, lambda: bool(components(app, "token_strip")))
    assert jobs.worker().job(app.query_params["job"]).request["model"] == "synth-m"


def test_every_rerun_tells_the_browser_the_size(open_app: Open) -> None:
    """One that missed a rerun that was cut short would report the first option as chosen, and ask that size too."""
    app = open_app()
    for _ in range(2):
        told = app.selectbox(key="ask size")
        assert (told.proto.set_value, told.proto.raw_value) == (True, told.format_func(told.value))
        assert told.index > 0  # the first would be what a browser shows by itself
        app.run()


def test_what_is_known_stays_when_time_runs_out_and_it_may_go_on(open_app: Open, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LONGER", 30.0)
    app = open_app()
    jobs.worker()._seconds, jobs.worker()._cancel_seconds = 1.0, 1.0
    ask(app, "Three seconds of France")
    until(app, lambda: "It was stopped after 1 s." in words(app))
    assert not app.exception
    assert "What was known by then is shown. Not computed: the exact scores of training documents" in words(app)
    assert "expected" not in words(app).lower()
    [strip] = components(app, "token_strip")
    assert [token["text"] for token in strip["answer"]] == [" Paris", ".", "end of text"]
    next(each for each in app.button if each.label.startswith("Go on")).click().run()
    until(app, lambda: "It was stopped" not in words(app))
    assert components(app, "token_strip")
    until(app, lambda: jobs.worker().job(app.query_params["job"]).state == "done")


def test_a_cancelled_question_is_asked_again(open_app: Open) -> None:
    app = ask(open_app(), "Three seconds of Italy")
    next(each for each in app.button if each.label == "Cancel").click().run()
    until(app, lambda: "It was cancelled." in words(app))
    next(each for each in app.button if each.label in ("Ask again", "Go on, with more time")).click().run()
    until(app, lambda: jobs.worker().job(app.query_params["job"]).state == "done")
    assert not app.exception


def test_who_cancels_has_left_even_while_another_session_waits(open_app: Open) -> None:
    app = ask(open_app(), "Three seconds of Spain")
    id = app.query_params["job"]
    jobs.worker().touch(id, "another")
    next(each for each in app.button if each.label == "Cancel").click().run()
    app.run()
    assert "It was cancelled." in words(app)
    assert "Cancel" not in [each.label for each in app.button]
    assert not jobs.worker().job(id).ended
    assert list(jobs.worker()._board._sessions[id]) == ["another"]
    next(each for each in app.button if each.label in ("Ask again", "Go on, with more time")).click().run()
    assert "It was cancelled." not in words(app)
    assert len(jobs.worker()._board._sessions[id]) == 2
    until(app, lambda: jobs.worker().job(id).state == "done")
    assert not app.exception


def test_the_page_is_drawn_anew_only_when_more_is_known_than_it_shows(monkeypatch: MonkeyPatch) -> None:
    """Not by the first look of a session at a job that had begun before it."""
    known, reruns = [{"text": "a"}, {"text": "a"}, {"text": "a", "tokens": []}], []

    def news(_: str = "") -> Job:
        return Job("j", {}, state=RUNNING, payload=known.pop(0))

    def page() -> None:
        from dashboard.asking import jobs
        from dashboard.widgets.ask_box import watch

        watch([jobs.news("j")])

    monkeypatch.setattr(jobs, "news", news)
    monkeypatch.setattr(ask_box.st, "rerun", lambda: reruns.append(len(known)))
    app = AppTest.from_function(page).run()
    assert not app.exception and reruns == []
    known += [{"text": "a", "tokens": [], "left": []}]
    app.run()
    assert not app.exception and reruns == [0]


def test_what_is_typed_as_json_is_asked_whole() -> None:
    row = {
        "messages": [{"role": "user", "content": "2+2?"}, {"role": "tool", "content": "4", "tool_call_id": "1"}],
        "docs": [{"title": "A", "text": "one"}],
        "tools": [{"name": "add"}],
        "template": {"thinking": False},
        **dict.fromkeys(("instruction", "doc_prompt", "completion", "foil", "foil_of"), "x {P}"),
    }
    assert jobs.asked(json.dumps(row)) == row


def test_a_long_question_is_not_cut() -> None:
    assert jobs.asked("word " * 5_000) == {"prompt": "word " * 5_000}
    for text in ("a", '{"prompt": "a"}'):  # as some editors write it, a byte order mark first
        assert jobs.asked(f"\ufeff{text}") == {"prompt": "a"}
    with pytest.raises(BadInput, match="500,000 characters, found 500,001; nothing is cut, so shorten it"):
        jobs.asked("x" * 500_001)


def test_an_answer_of_before_is_listed_and_opens_after_a_restart(
    open_app: Open, folder: Path, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    where = shutil.copytree(folder, tmp_path / "build")
    model = next(iter(open_app(where=where).selectbox(key="ask size").options)).split(" ")[0]
    tokens = [{"text": " Paris", "start": 0, "stop": 6, "logp": -0.1}]
    documents = [[{"document_id": "0" * 16, "rank": 1, "score": 0.5, "via": ["index"]}]]
    result = {"model": model, "prompt": "The capital of France is", "text": " Paris", "tokens": tokens}
    request = {"folder": str(where), "model": model, "prompt": result["prompt"]}
    assert keep(where, request, result | {"documents": documents, "estimated": True}) == ""
    read = []
    monkeypatch.setattr(jobs, "kept_job", lambda *given: read.append(given) or kept_job(*given))
    app = open_app({"job": job_id(request)}, where=where)
    [strip] = components(app, "token_strip")
    assert [token["text"] for token in strip["answer"]] == [" Paris"]
    assert read == [(where, job_id(request))]  # once, however often the page asks
    assert any("First estimates" in each.value for each in app.caption)
    asked, *_ = components(open_app(screen="runs", where=where), "prompt_table")
    assert [row["turns"] for row in asked["rows"]] == [[["", result["prompt"]]]]
    assert keep(where, request, result | {"documents": documents, "tokens": [tokens[0] | {"text": " Rome"}]}) == ""
    [strip] = components(app.run(), "token_strip")  # a newer one takes its place
    assert [token["text"] for token in strip["answer"]] == [" Rome"]
