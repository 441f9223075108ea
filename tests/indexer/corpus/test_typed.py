"""What is typed as JSON is read as what it is, and nothing else is taken for it."""

import json

import pytest

from attribution.errors import BadInput
from indexer.corpus.prompt_file import prompt_from_line, read_prompts
from indexer.corpus.typed import typed_row
from indexer.whatif.given import typed_document

ASKED = {"question": "Who?", "docs": [{"title": "A", "text": "one"}]}
CHAT = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    "text", ["Hello", "", "{", "{x", '"{"', "[1]", "[", "[x] {", "{'a}", "{ a: 1 }", '["a"]', '{a: "b"}', "{}, he said"]
)
def test_plain_text_is_no_line(text):
    assert typed_row(text) is None


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (' {"prompt": "a"}\n', {"prompt": "a"}),
        ('{ "question" : "Who?", "docs": [{"title": "A", "text": "one"}]}', ASKED),
        (json.dumps(ASKED, indent=4), ASKED),
        (json.dumps([ASKED]), ASKED),
        (f"\n[\n  {json.dumps(ASKED)}\n]\n", ASKED),
        (json.dumps(CHAT), {"messages": CHAT}),
        (json.dumps(CHAT, indent=1), {"messages": CHAT}),
        ('\ufeff{"prompt": "a"}', {"prompt": "a"}),  # "$(cat p.json)" of an editor that puts a byte order mark first
    ],
)
def test_input_8_json_is_read_as_what_it_is(text, row):
    assert typed_row(text) == row


@pytest.mark.parametrize(
    "text",
    [
        '{"',
        '{"prompt": ',
        '{"a": 1} {"b": 2}',
        '{"a": ' + "[" * 200_000,
        "{ 'question': 'Who?'}",
        "{“question”: “Who?”}",
        '[{"question": "Who?"',
        '{"prompt": "a\nb"}',
    ],
)
def test_input_8_what_looks_like_json_and_is_none_is_told_in_one_line(text):
    with pytest.raises(BadInput, match="expected JSON, as the text begins.*ask the text itself") as told:
        typed_row(text)
    assert "\n" not in str(told.value)


def test_a_byte_order_mark_is_nothing_that_was_typed():
    assert prompt_from_line("\ufeffThe capital of").text == "The capital of"
    assert typed_document("\ufeffLima is far.").document_id == typed_document("Lima is far.").document_id
    assert typed_document("\ufeff" + json.dumps({"messages": CHAT})).turns


def test_input_8_one_prompt_is_asked_at_a_time():
    with pytest.raises(BadInput, match="expected one prompt, found an array of 2; ask one at a time"):
        typed_row(json.dumps([ASKED, ASKED]))
    with pytest.raises(BadInput, match="'prompt', 'messages', 'question' with 'docs', found nothing"):
        prompt_from_line("{ }")


@pytest.mark.parametrize("name", ["p.jsonl", "p.json"])
@pytest.mark.parametrize("indent", [None, 2])
def test_input_8_a_prompt_file_in_any_form_of_json(tmp_path, name, indent):
    rows = [{"prompt": "The capital of France is"}, ASKED, {"messages": CHAT}]
    kinds = ["completion", "retrieval", "chat"]
    file = tmp_path / name
    for content in (json.dumps(rows, indent=indent), "\n".join(json.dumps(each, indent=indent) for each in rows)):
        file.write_text(content)
        assert [each.kind for each in read_prompts(file)] == kinds
    file.write_text(json.dumps(ASKED, indent=indent))
    assert read_prompts(file) == (prompt_from_line(json.dumps(ASKED)),)


def test_input_8_a_broken_array_of_prompts_is_one_line(tmp_path):
    (tmp_path / "p.json").write_text('[{"prompt": "a"},\n {"prompt": "b"}')
    with pytest.raises(BadInput, match=r"p\.json after item 2, found: no end of the array at line 2") as told:
        read_prompts(tmp_path / "p.json")
    assert "\n" not in str(told.value)
    (tmp_path / "p.json").write_text('[{"prompt": "a"},\n {"prompt": ""}]')
    with pytest.raises(BadInput, match=r"p\.json item 2: expected a prompt, found an empty one"):
        read_prompts(tmp_path / "p.json")
