"""A new prompt from the box of the frame to its answer, with a stand-in for the model in the worker process."""

import json
import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.asking import jobs
from dashboard.database.records import Generation, Model, PromptPart
from dashboard.screens.explain.prompt import as_line
from indexer.ask.kept import keep
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import prompt_from_row
from indexer.worker.job import job_id
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


def test_the_answer_comes_with_its_saliency(open_app: Open) -> None:
    app = ask(open_app(), "The capital of France is")
    assert not app.exception
    assert app.query_params["job"]
    for _ in range(300):
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


def test_a_method_that_is_not_stored_is_computed_by_the_worker(open_app: Open) -> None:
    app = open_app()
    [box] = [each for each in app.selectbox if each.label == "Compute another method"]
    box.set_value("shapley").run()
    assert not app.exception and app.query_params["job"]
    for _ in range(300):
        shown = [each.value for each in app.selectbox if each.label == "Saliency method"]
        if shown == ["shapley"]:
            break
        time.sleep(0.1)
        app.run()
    assert shown == ["shapley"]


def test_a_stored_prompt_with_documents_is_asked_again_as_it_was() -> None:
    prompt = Prompt.from_question("Which?", [("Peru", "Lima."), ("", "Oslo.")])
    parts = [PromptPart(each.part, each.kind, each.title, each.start, each.stop) for each in prompt.parts]
    model = Model("m", "m", "f", 1, 1, "pretrained", "", "t")
    generation = Generation("g", "p", prompt.text, "retrieval", "", "", " Lima.", None, model)
    assert prompt_from_row(as_line(generation, parts)) == prompt
    assert as_line(generation, []) == {"prompt": prompt.text}


def test_an_answer_of_before_is_listed_and_opens_after_a_restart(open_app: Open, folder, tmp_path) -> None:
    where = shutil.copytree(folder, tmp_path / "build")
    model = next(iter(open_app(where=where).selectbox(key="ask size").options)).split(" ")[0]
    tokens = [{"text": " Paris", "start": 0, "stop": 6, "logp": -0.1}]
    documents = [[{"document_id": "0" * 16, "rank": 1, "score": 0.5, "via": ["index"]}]]
    result = {"model": model, "prompt": "The capital of France is", "text": " Paris", "tokens": tokens}
    request = {"folder": str(where), "model": model, "prompt": result["prompt"]}
    assert keep(where, request, result | {"documents": documents, "estimated": True}) == ""
    app = open_app({"job": job_id(request)}, where=where)
    [strip] = components(app, "token_strip")
    assert [token["text"] for token in strip["answer"]] == [" Paris"]
    assert any("First estimates" in each.value for each in app.caption)
    asked, *_ = components(open_app(screen="runs", where=where), "prompt_table")
    assert [row["turns"] for row in asked["rows"]] == [[["", result["prompt"]]]]
