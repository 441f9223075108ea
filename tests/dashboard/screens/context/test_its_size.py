"""Context is of the size whose answer it shows, and its documents can be asked again as they were given."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers, prompts
from dashboard.screens.context.evidence import Reading, read
from dashboard.widgets.size_switch import KEY
from indexer.database.reader import Snapshot

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def reading(snapshot: Snapshot) -> Reading:
    """What the page opens on."""
    generation_id = prompts.answers_from_documents(snapshot)[0][0]
    found = answers.generation(snapshot, generation_id)
    assert found is not None
    return read(StoredAnswer(snapshot, found))


@pytest.mark.parametrize("query", [{}, {"size": "synth-l"}])
def test_the_frame_names_the_size_of_the_answer_that_is_shown(
    open_app: Open, reading: Reading, query: dict[str, str]
) -> None:
    app = open_app(query, screen="context")
    assert not app.exception
    assert app.selectbox(key=KEY).value == reading.generation.model.name


def test_of_an_answer_that_brought_no_documents_the_first_that_did_is_shown(
    open_app: Open, snapshot: Snapshot, reading: Reading
) -> None:
    other = answers.example(snapshot)
    assert other is not None
    app = open_app({"generation": other.generation_id}, screen="context")
    assert app.selectbox(key="context answer").value == reading.generation.generation_id
    assert app.selectbox(key=KEY).value == reading.generation.model.name


def test_a_question_is_asked_again_with_the_titles_that_were_given(reading: Reading) -> None:
    assert reading.asked is not None
    question, documents = reading.asked
    assert question == reading.question and len(documents) == len(reading.documents) > 1
    parts = [replace(part, title=f"document {i}") for i, part in enumerate(reading.documents, start=1)]
    untitled = replace(reading, parts=[*(part for part in reading.parts if part.kind != "document"), *parts])
    assert untitled.asked is not None
    assert [title for title, _ in untitled.asked[1]] == [""] * len(documents)
    assert list(untitled.names.values()) == [part.title for part in parts]


def test_a_conversation_is_not_taken_for_a_question(reading: Reading) -> None:
    asked = next(part for part in reading.parts if part.kind == "question")
    assert replace(reading, parts=[*reading.parts, asked]).asked is None
    own = [replace(asked, kind="system")] * 2  # what the conversation says first, and the instruction
    others = [part for part in reading.parts if part.kind != "system"]
    assert replace(reading, parts=[*own, *others]).asked is None
    assert replace(reading, parts=[*own[:1], *others]).asked == reading.asked
