"""Conversations in the form of ShareGPT are the same documents as in messages."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attribution.errors import BadInput
from indexer.corpus.reader import read_corpus
from tests.indexer.corpus.test_turns import SAID, canonical, read, refused

SHARED = [
    {"from": "system", "value": "Be brief."},
    {"from": "human", "value": "The capital of Peru?"},
    {"from": "gpt", "value": "Lima."},
]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize("said", [SHARED, SAID])
def test_conversations_are_messages(tmp_path, suffix, said):
    row, file = {"conversations": said, "id": "7"}, tmp_path / f"chat.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist([row]), file)
    elif suffix == "csv":
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            writer.writeheader()
            writer.writerow(row | {"conversations": json.dumps(said)})
    else:
        file.write_text(json.dumps(row) + "\n")
    [found] = read_corpus([file]).documents
    [other] = read(tmp_path, {"messages": SAID})
    assert (found.document_id, found.turns, found.text) == (other.document_id, other.turns, other.text)
    assert found.title == "7"


def test_calls_of_tools_and_what_they_answer(tmp_path):
    call = {"name": "look_up", "arguments": {"country": "Peru"}}
    [found] = read(
        tmp_path,
        {
            "conversations": [
                {"from": "human", "value": "The capital of Peru?", "weight": None},
                {"from": "function_call", "value": json.dumps(call)},
                {"from": "observation", "value": "Lima"},
                {"from": "function_call", "value": "look_up(Peru)"},
                {"from": "tool", "value": "Lima"},
                {"from": "gpt", "value": "Lima.", "reasoning_content": "It says so."},
            ],
            "system": "Be brief.",
            "tools": json.dumps([{"name": "look_up"}]),
        },
    )
    assert json.loads(found.turns) == {
        "messages": [
            SAID[0],
            SAID[1],
            {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]},
            {"role": "tool", "content": "Lima"},
            {"role": "assistant", "content": "look_up(Peru)"},
            {"role": "tool", "content": "Lima"},
            SAID[2] | {"reasoning_content": "It says so."},
        ],
        "tools": [{"name": "look_up"}],
    }


def test_a_system_column_is_the_first_message_once(tmp_path):
    wanted = canonical({"messages": SAID})
    apart = {"conversations": SHARED[1:], "system": "Be brief."}
    again = {"conversations": SHARED, "system": "Be another."}
    none = {"conversations": SHARED, "system": " "}
    for row in (apart, again, none):
        assert read(tmp_path, row)[0].turns == wanted


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"conversations": [{"from": "cat", "value": "a"}]},
            "from human, gpt, .* 'conversations', found 'cat'",
        ),
        ({"conversations": [{"from": ["human"], "value": "a"}]}, "found \"\\['human'\\]\""),
        ({"conversations": [{"from": "human"}]}, "text for 'content' of a message, found None"),
        ({"conversations": ["a"], "system": "b"}, "role system, .* in 'conversations', found 'a'"),
        ({"conversations": "Hi"}, "a list of messages in 'conversations', found 'Hi'"),
    ],
)
def test_what_does_not_fit_is_one_line_with_its_place(tmp_path, row, message):
    refused(tmp_path, {"conversations": SHARED}, row, message)


def test_messages_beside_conversations_ask_which(tmp_path):
    row = {"conversations": SHARED, "messages": SAID[1:]}
    with pytest.raises(BadInput, match="found 'messages' and 'conversations'; say which"):
        read(tmp_path, row)
    assert read(tmp_path, row, text=("conversations",))[0].turns == canonical({"messages": SAID})
    assert read(tmp_path, row, text=("messages",))[0].turns == canonical({"messages": SAID[1:]})
