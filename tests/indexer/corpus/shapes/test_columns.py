"""Columns as the usual data sets name them: read as they are, or refused with what to do."""

import json

import pytest

from attribution.errors import BadInput
from tests.indexer.corpus.test_turns import SAID, canonical, read

RENAME = "rename {} and {} to 'prompt' and 'completion', which are read one after the other"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"instruction": "a", "input": "b", "output": "c"}, RENAME.format("'instruction'", "'output'")),
        ({"question": "a", "answer": "b", "id": 1}, RENAME.format("'question'", "'answer'")),
        ({"prompt": "a", "response": "b"}, RENAME.format("'prompt'", "'response'")),
        ({"system_prompt": "s", "question": "a", "response": "b"}, RENAME.format("'question'", "'response'")),
        ({"conversation": SAID}, "rename 'conversation' to 'messages'"),
        ({"content": "a"}, r"name the column of the text: \[corpus\] text = "),
        ({"instruction": "a"}, r"name the column of the text: \[corpus\] text = "),
    ],
)
def test_questions_and_answers_of_other_names_are_refused_with_what_to_do(tmp_path, row, message):
    with pytest.raises(BadInput, match=message) as raised:
        read(tmp_path, row)
    assert all(repr(name) in str(raised.value) for name in row)
    assert "\n" not in str(raised.value)


def test_a_column_that_is_named_is_read_whatever_stands_beside_it(tmp_path):
    row = {"question": "a", "answer": "b"}
    assert read(tmp_path, row, text=("answer",))[0].text == "b"
    with pytest.raises(BadInput, match=r"column 'reply' in c.jsonl line 1, found 'question', 'answer'; name the"):
        read(tmp_path, row, text=("reply",))


GOOD = {"prompt": "2 + 2 =", "completion": " 4"}
SPOKEN = {"prompt": SAID[1:2], "completion": SAID[2:]}


@pytest.mark.parametrize("given", [GOOD, SPOKEN])
@pytest.mark.parametrize("label", [True, None, "true", 1, 0, "arithmetic"])
def test_a_completion_that_is_desired_is_one_like_any_other(tmp_path, given, label):
    assert read(tmp_path, given | {"label": label})[0].turns == canonical(given)


@pytest.mark.parametrize("given", [GOOD, SPOKEN])
@pytest.mark.parametrize("label", [False, "false", "False"])  # of CSV all is text
def test_a_completion_to_avoid_is_not_learned(tmp_path, given, label):
    with pytest.raises(BadInput, match="found label false, .* remove such rows, or give pairs in 'chosen'") as raised:
        read(tmp_path, given | {"label": True}, given | {"label": label})
    assert str(raised.value).startswith("c.jsonl line 2: ")
    assert "\n" not in str(raised.value)


def test_a_label_of_something_else_is_a_column_like_any_other(tmp_path):
    assert read(tmp_path, {"text": "a", "label": False})[0].text == "a"
    assert json.loads(read(tmp_path, {"messages": SAID, "label": False})[0].turns) == {"messages": SAID}
