"""A new prompt from the box of the frame to its answer, with a stand-in for the model in the worker process."""

import time
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import asking
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(asking.FUNCTION_VARIABLE, "tests.browser.stub_ask:run")
    yield
    asking.worker().close()


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
    assert strips[0]["first"] == 0
    assert "its documents are not computed" in " ".join(each.value for each in app.caption)


def test_nothing_asked_is_told(open_app: Open) -> None:
    app = ask(open_app(), "   ")
    assert "Expected the beginning of a sentence" in words(app)


def test_a_failing_worker_is_told(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(asking.FUNCTION_VARIABLE, "tests.browser.no_such_module:run")
    app = ask(open_app(), "Hello")
    for _ in range(300):
        if words(app):
            break
        time.sleep(0.1)
        app.run()
    assert not app.exception
    assert words(app)
