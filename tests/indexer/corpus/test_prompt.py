import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput
from attribution.prompt.text.written import INSTRUCTION
from indexer.corpus.prompt import Message, Prompt
from indexer.corpus.prompt_file import prompt_from_row, read_prompts
from indexer.corpus.turns import structured
from tests.tiny_family import write_lines

TEXT = st.text(st.characters(), max_size=20)
ROLES = st.sampled_from(["system", "user", "assistant"])


def test_the_three_shapes():
    plain = prompt_from_row({"prompt": "The capital of France is", "answer": "Paris", "foil": " Rome", "extra": 1})
    assert (plain.kind, plain.answer, plain.foil, plain.completion) == ("completion", "Paris", " Rome", None)
    chat = prompt_from_row({"messages": [{"role": "user", "content": "Hi"}]})
    assert (chat.kind, chat.text) == ("chat", "user: Hi\nassistant:")
    asked = prompt_from_row(
        {"question": "Who?", "docs": [{"title": "A", "text": "one"}, {"text": "two"}], "output": "Me."}
    )
    assert asked.text == f"{INSTRUCTION}\n\n[1] A\none\n\n[2] two\n\nQuestion: Who?\nAnswer:"
    assert (asked.kind, asked.completion) == ("retrieval", "Me.")
    assert [asked.text[p.start : p.stop] for p in asked.parts if p.kind == "document"] == ["one", "two"]
    assert [p.title for p in asked.parts if p.kind == "document"] == ["A", "document 2"]


def test_the_id_is_of_text_and_completion_only():
    assert Prompt.from_text("a", topic="x").prompt_id == Prompt.from_text("a", answer="y").prompt_id
    assert Prompt.from_text("a").prompt_id != Prompt.from_text("a", completion="b").prompt_id


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "'prompt', 'messages', 'question' with 'docs', found nothing"),
        ({"text": "a"}, "found 'text'"),
        ({"prompt": "a", "question": "b"}, "found 'prompt' and 'question'"),
        ({"prompt": " \n"}, "found an empty one"),
        ({"prompt": 3}, "text for 'prompt', found 3"),
        ({"messages": []}, "list for 'messages'"),
        ({"messages": [{"role": "bot", "content": "a"}]}, "role system, developer, user, assistant, tool"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "url": "x"}]}]}, "found 'image'; only text"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "text for 'text', found None"),
        ({"messages": [{"role": "user", "content": "a"}], "template": 1}, "chat template for 'template', found 1"),
        ({"messages": [{"role": "system", "content": "a"}], "docs": [{"text": "b"}]}, "role 'user' beside 'docs'"),
        ({"question": "a", "docs": [{"text": "b"}], "doc_prompt": "{T}"}, "once in doc_prompt, found '{T}'"),
        ({"messages": [{"role": "user"}]}, "text for 'content' of a message, found None"),
        ({"question": "a", "docs": "b"}, "list for 'docs'"),
        ({"question": "a", "docs": [{"title": "no text"}]}, "text for 'text'"),
        ({"question": " ", "docs": [{"text": "b"}]}, "a question, found an empty one"),
        ({"prompt": "a", "foil": 3}, "text for 'foil'"),
        ({"prompt": "a", "docs": [{"text": "b"}]}, "'docs' beside 'messages' or 'question', found it beside 'prompt'"),
        ({"prompt": "a", "template": {"x": 1}}, "'template' beside 'messages' or 'question'"),
        ({"prompt": "a", "tools": [{"name": "f"}]}, "'tools' beside 'messages' or 'question'"),
        ({"question": "a", "docs": [], "tools": [1], "template": {"tools": [2]}}, "expected tools once"),
    ],
)
def test_other_shapes_are_refused_by_what_is_wrong(row, message):
    with pytest.raises(BadInput, match=message):
        prompt_from_row(row)


def test_the_file_names_the_line(tmp_path):
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "a"}\n{"prompt": ""}\n')
    with pytest.raises(BadInput, match=r"prompts\.jsonl line 2: expected a prompt"):
        read_prompts(file)
    file.write_text('{"prompt": "a"}\n{"prompt": "a", "topic": "again"}\n')
    with pytest.raises(BadInput, match=r"that of prompts\.jsonl line 1 again in prompts\.jsonl line 2"):
        read_prompts(file)
    file.write_text("\n")
    with pytest.raises(BadInput, match="at least one prompt"):
        read_prompts(file)
    file.write_text('{"prompt": "a"}\n{"question": "q", "docs": []}\n')
    assert [p.kind for p in read_prompts(file)] == ["completion", "retrieval"]


def assert_parts_cover(prompt):
    assert [part.part for part in prompt.parts] == list(range(len(prompt.parts)))
    stops = [0, *(part.stop for part in prompt.parts)]
    assert [part.start for part in prompt.parts] == stops[:-1]
    assert stops[-1] == len(prompt.text)
    assert {part.kind for part in prompt.parts} <= {"system", "question", "document", "scaffold"}
    assert all(part.start < part.stop for part in prompt.parts)
    prompt.text.encode()


@given(st.lists(st.builds(Message, ROLES, TEXT), min_size=1, max_size=4))
def test_parts_of_a_chat_cover_its_text(messages):
    try:
        assert_parts_cover(Prompt.from_messages(messages))
    except BadInput:
        assert not any(message.content.strip() and message.role != "assistant" for message in messages)


@given(TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_parts_of_a_retrieval_prompt_cover_its_text_and_documents_keep_theirs(question, docs):
    try:
        prompt = Prompt.from_question(question, docs)
    except BadInput:
        assert not question.strip()
        return
    assert_parts_cover(prompt)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["prompt", "messages", "question", "docs", "role", "content", "title", "text", "output"]
                ),
                x,
            )
        ),
    )
)
def test_any_json_is_a_prompt_or_a_clear_line(value):
    row = value if isinstance(value, dict) else {"prompt": value}
    try:
        assert_parts_cover(prompt_from_row(json.loads(json.dumps(row))))
    except BadInput as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_input_05_a_tools_turn_and_content_in_parts():
    parts = [{"type": "text", "text": "Capital"}, {"type": "text", "text": " of Peru?"}]
    row = {"messages": [{"role": "user", "content": parts}, {"role": "tool", "content": "Lima: 10 million"}]}
    prompt = prompt_from_row(row)
    assert prompt.messages == (Message("user", "Capital of Peru?"), Message("tool", "Lima: 10 million"))
    assert [(p.kind, prompt.text[p.start : p.stop]) for p in prompt.parts if p.kind != "scaffold"] == [
        ("question", "Capital of Peru?"),
        ("document", "Lima: 10 million"),  # it can be cited
    ]


def test_input_05_calls_of_tools_are_read_as_those_of_a_corpus():
    call = [{"function": {"name": "add", "arguments": {"a": 2}}}]
    said = [
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": None, "tool_calls": call},
        {"role": "tool", "content": "4", "tool_call_id": "1"},
    ]
    prompt = prompt_from_row({"messages": said, "tools": [{"name": "add"}], "template": {"thinking": False}})
    assert prompt.template == {"thinking": False, "tools": [{"name": "add"}]}
    assert [each.more for each in prompt.messages] == [{}, {"tool_calls": call}, {"tool_call_id": "1"}]
    _, turns = structured("messages", {"messages": said})
    read = [{"role": each.role, "content": each.content, **each.more} for each in prompt.messages]
    assert json.loads(turns)["messages"] == read


def test_messages_that_differ_in_a_call_are_two_prompts(tmp_path):
    rows = [
        {"messages": [{"role": "user", "content": "2+2?"}, {"role": "tool", "content": "4", "tool_call_id": of}]}
        for of in ("1", "2")
    ]
    write_lines(tmp_path / "p.jsonl", rows)
    assert len(read_prompts(tmp_path / "p.jsonl")) == 2


def test_input_06_the_same_messages_under_two_templates_are_two_prompts(tmp_path):
    row = {"messages": [{"role": "user", "content": "Hi"}]}
    write_lines(tmp_path / "p.jsonl", [row | {"template": {"enable_thinking": on}} for on in (True, False)])
    assert [each.template["enable_thinking"] for each in read_prompts(tmp_path / "p.jsonl")] == [True, False]
    write_lines(tmp_path / "p.jsonl", [row, row])
    with pytest.raises(BadInput, match="every prompt once"):
        read_prompts(tmp_path / "p.jsonl")


def test_a_templates_variables_out_of_a_table(tmp_path):
    row = {"messages": [{"role": "user", "content": "Hi"}], "template": {"today": date(2026, 1, 31)}}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "p.parquet")
    [found] = read_prompts(tmp_path / "p.parquet")
    assert found.template == {"today": "2026-01-31"}
    pq.write_table(pa.Table.from_pylist([row | {"template": {"logo": b"x"}}]), tmp_path / "p.parquet")
    with pytest.raises(BadInput, match=r"p\.parquet row 1: .* in 'template\.logo', found bytes; write it as text"):
        read_prompts(tmp_path / "p.parquet")
