"""What conversations, pairs and given ids are read as."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput
from indexer.corpus.document import Document, document_id
from indexer.corpus.reader import read_corpus

SAID = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "The capital of Peru?"},
    {"role": "assistant", "content": "Lima."},
]
ASKED, GOOD, BAD = SAID[1:2], [SAID[2]], [{"role": "assistant", "content": "Cusco."}]


def read(folder: Path, *rows, text=()) -> tuple[Document, ...]:
    (folder / "c.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    return read_corpus([folder / "c.jsonl"], text).documents


def refused(folder: Path, good, row, message: str) -> None:
    """A row behind a good one is refused in one line that begins with its place."""
    with pytest.raises(BadInput, match=message) as raised:
        read(folder, good, row)
    assert str(raised.value).startswith("c.jsonl line 2: ")
    assert "\n" not in str(raised.value)


def canonical(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_input_13_messages_are_read(tmp_path, suffix):
    rows = [{"messages": SAID, "id": "7", "topic": "capital"}, {"messages": SAID[1:], "id": "8", "topic": ""}]
    file = tmp_path / f"chat.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    elif suffix == "csv":
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows([each | {"messages": json.dumps(each["messages"])} for each in rows])
    else:
        file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    first, second = read_corpus([file]).documents
    assert first.text == "system: Be brief.\nuser: The capital of Peru?\nassistant: Lima."
    assert first.turns == canonical({"messages": SAID})
    assert second.turns == canonical({"messages": SAID[1:]})
    assert first.document_id == document_id(first.turns) != document_id(first.text)
    assert (first.title, first.topic, first.corpus) == ("7", "capital", "chat")


@pytest.mark.parametrize(
    ("row", "text", "turns"),
    [
        ({"prompt": "2 + 2 =", "completion": " 4"}, "2 + 2 = 4", {"prompt": "2 + 2 =", "completion": " 4"}),
        (
            {"prompt": ASKED, "completion": GOOD},
            "user: The capital of Peru?\nassistant: Lima.",
            {"prompt": ASKED, "completion": GOOD},
        ),
        (
            {"prompt": "Peru?", "chosen": "Lima.", "rejected": "Cusco."},
            "Peru?\nchosen: Lima.\nrejected: Cusco.",
            {"prompt": "Peru?", "chosen": "Lima.", "rejected": "Cusco."},
        ),
        ({"chosen": "a", "rejected": "b"}, "chosen: a\nrejected: b", {"chosen": "a", "rejected": "b"}),
        (
            {"chosen": ASKED + GOOD, "rejected": ASKED + BAD},
            "user: The capital of Peru?\nchosen:\nassistant: Lima.\nrejected:\nassistant: Cusco.",
            {"prompt": ASKED, "chosen": GOOD, "rejected": BAD},
        ),
    ],
)
def test_input_13_pairs_are_read(tmp_path, row, text, turns):
    [found] = read(tmp_path, row)
    assert found.text == text
    assert found.turns == canonical(turns)


@pytest.mark.parametrize("prompt", [ASKED, ASKED[0]["content"]])
def test_input_13_the_prompt_of_a_preference_is_the_same_however_it_is_given(tmp_path, prompt):
    answers = {"chosen": GOOD, "rejected": BAD}
    whole = {"chosen": ASKED + GOOD, "rejected": ASKED + BAD}
    wanted = canonical({"prompt": ASKED} | answers)
    for row in (whole, {"prompt": prompt} | whole, {"prompt": prompt} | answers):
        [found] = read(tmp_path, row)
        assert found.turns == wanted


def test_input_5_parts_of_text_and_tools(tmp_path):
    parts = [{"type": "text", "text": "The capital "}, {"type": "text", "text": "of Peru?"}]
    call = [{"function": {"name": "look_up", "arguments": {"country": "Peru", "city": None}}}]
    [found] = read(
        tmp_path,
        {
            "messages": [
                {"role": "user", "content": parts, "name": None},
                {"role": "assistant", "content": None, "tool_calls": call},
                {"role": "tool", "content": "Lima", "tool_call_id": "1"},
                {"role": "assistant", "content": "Lima.", "tool_calls": []},
            ],
            "tools": [{"name": "look_up"}],
        },
    )
    assert found.text == "user: The capital of Peru?\nassistant: \ntool: Lima\nassistant: Lima."
    made = json.loads(found.turns)
    assert made["messages"][1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "look_up", "arguments": {"country": "Peru"}}}],
    }
    assert made["messages"][3] == {"role": "assistant", "content": "Lima."}
    assert made["tools"] == [{"name": "look_up"}]


def test_thoughts_are_kept_and_can_be_read_and_searched(tmp_path):
    thinks = SAID[2] | {"reasoning_content": "Not Cusco.", "thinking": None}
    [found] = read(tmp_path, {"messages": [SAID[1] | {"thinking": "unsaid"}, thinks]})
    assert found.text == "user: The capital of Peru?\nassistant: <think>\nNot Cusco.\n</think>\n\nLima."
    assert json.loads(found.turns)["messages"][1] == SAID[2] | {"reasoning_content": "Not Cusco."}


def test_input_15_given_ids_with_the_borders_of_documents(tmp_path):
    ids = {"input_ids": [5, 6, 7, 8, 9]}
    plain, by_border, by_length, by_position, padded = read(
        tmp_path,
        ids,
        ids | {"borders": [0, 2]},
        {"input_ids": [1, *ids["input_ids"]], "seq_lengths": [3, 3]},
        {"input_ids": [2, *ids["input_ids"]], "position_ids": [0, 1, 2, 0, 1, 0]},
        {"input_ids": [3, 4, 0, 0], "attention_mask": [1, 1, 0, 0], "labels": [-100, 4, -100, -100]},
    )
    assert plain.turns == canonical(ids)
    assert json.loads(by_border.turns) == ids | {"borders": [0, 2]}
    assert json.loads(by_length.turns)["borders"] == [0, 3]
    assert json.loads(by_position.turns)["borders"] == [0, 3, 5]
    assert json.loads(padded.turns) == {"input_ids": [3, 4], "labels": [-100, 4]}
    assert plain.text == "token ids: 5 6 7 8 9"


def test_input_38_text_and_messages_ask_which(tmp_path):
    row = {"text": "Peru: Lima", "messages": SAID}
    asks = r"found 'text' and 'messages'; say which: \[corpus\] text = \"text\" or text = \"messages\""
    with pytest.raises(BadInput, match=asks) as raised:
        read(tmp_path, row)
    assert "\n" not in str(raised.value)
    assert read(tmp_path, row, text=("text",))[0].turns == ""
    assert read(tmp_path, row, text=("messages",))[0].turns == canonical({"messages": SAID})
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "c.parquet")
    with pytest.raises(BadInput, match=asks):
        read_corpus([tmp_path / "c.parquet"])
    assert [each.turns == "" for each in read(tmp_path, {"text": "a", "messages": None}, {"messages": SAID})] == [1, 0]


def test_input_38_pairs_beside_something_else_ask_too(tmp_path):
    with pytest.raises(BadInput, match="found 'text' and 'prompt\\+completion'"):
        read(tmp_path, {"text": "ab", "prompt": "a", "completion": "b"})
    [found] = read(tmp_path, {"text": "ab", "prompt": "a", "completion": "b"}, text=("prompt+completion",))
    assert json.loads(found.turns) == {"prompt": "a", "completion": "b"}
    assert read(tmp_path, {"text": "ab", "prompt": "a"})[0].turns == ""  # half a pair is a column like any other


def test_input_39_parquet_is_refused_with_the_columns_that_are_there(tmp_path):
    pq.write_table(pa.table({"question": ["a"], "reply": ["b"], "id": [1]}), tmp_path / "c.parquet")
    with pytest.raises(BadInput, match=r"column 'text' in c\.parquet, found 'question', 'reply', 'id'; name the"):
        read_corpus([tmp_path / "c.parquet"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"messages": "Hi"}, "a list of messages in 'messages', found 'Hi'"),
        ({"messages": [{"role": "gpt", "content": "a"}]}, "role system, developer, user, assistant, tool"),
        ({"messages": ["a"]}, "role system"),
        ({"messages": [{"role": "user"}]}, "text for 'content' of a message, found None"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "parts of type 'text' in 'content', found 'image_url'; only text",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "text for 'text', found None"),
        ({"prompt": "a", "completion": GOOD}, "found one of each kind"),
        ({"chosen": "a", "rejected": BAD}, "found one of each kind"),
        ({"prompt": "other", "chosen": ASKED + GOOD, "rejected": ASKED + BAD}, "found another"),
        ({"input_ids": [1, -1]}, "whole numbers from 0 in 'input_ids'"),
        ({"input_ids": [1, True]}, "whole numbers from 0 in 'input_ids'"),
        ({"input_ids": [1, 2], "labels": [1]}, "expected 2 numbers in 'labels'"),
        ({"input_ids": [1, 2, 3], "labels": [2, 3, -100]}, "its place, 1, or -100 .* found 2 at place 0"),
        ({"input_ids": [1, 2, 3], "labels": [1, 1, -100]}, "its place, 2, or -100 .* found 1 at place 1"),
        ({"input_ids": [1, 2], "seq_lengths": [1]}, "add up to the 2 'input_ids', found 1"),
        ({"input_ids": [1, 2], "borders": [1]}, "rising starts from 0 below 2"),
    ],
)
def test_input_13_what_does_not_fit_is_one_line_with_its_place(tmp_path, row, message):
    refused(tmp_path, {"messages": SAID}, row, message)


def test_what_a_table_has_and_json_has_not_is_told_as_text(tmp_path):
    at, day = datetime(2026, 1, 31, 9, 30, tzinfo=UTC), date(2026, 1, 31)
    more = {"at": at, "meta": {"day": day, "price": Decimal("1.50"), "took": timedelta(seconds=90)}, "days": [day]}
    rows = [{"messages": [each | more for each in SAID]}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "c.parquet")
    [found] = read_corpus([tmp_path / "c.parquet"]).documents
    said = {"at": at.isoformat(), "meta": {"day": "2026-01-31", "price": "1.50", "took": "0:01:30"}}
    assert found.turns == canonical({"messages": [each | said | {"days": ["2026-01-31"]} for each in SAID]})


@pytest.mark.parametrize(
    ("more", "field"),
    [({"image": b"x"}, "image"), ({"meta": {"image": b"x"}}, "meta.image"), ({"images": [b"x"]}, "images")],
)
def test_bytes_in_a_message_are_refused_by_the_name_of_their_field(tmp_path, more, field):
    pq.write_table(pa.Table.from_pylist([{"messages": [SAID[1] | more]}]), tmp_path / "c.parquet")
    with pytest.raises(BadInput, match=rf"c\.parquet row 1: .* in 'messages\.{field}', found bytes") as raised:
        read_corpus([tmp_path / "c.parquet"])
    assert "\n" not in str(raised.value)


def test_input_13_what_says_nothing_is_empty(tmp_path):
    file = tmp_path / "c.jsonl"
    empty = [
        {"messages": []},
        {"messages": None},
        {"messages": [{"role": "user", "content": " "}]},
        {"prompt": "a", "completion": ""},
        {"input_ids": []},
    ]
    file.write_text("".join(json.dumps(each) + "\n" for each in [*empty, {"messages": SAID}]))
    reading = read_corpus([file])
    assert len(reading.documents) == 1
    assert reading.n_skipped == {"empty": len(empty), "duplicate": 0}


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(st.characters())), min_size=1, max_size=4))
def test_input_13_any_text_is_storable_and_the_structure_is_kept(tmp_path_factory, said):
    messages = [{"role": role, "content": content} for role, content in said]
    if not any(content.strip() for _, content in said):
        return
    [found] = read(tmp_path_factory.mktemp("turns"), {"messages": messages})
    found.turns.encode()
    assert "\x00" not in found.text
    assert [each["role"] for each in json.loads(found.turns)["messages"]] == [role for role, _ in said]
    assert found.document_id == document_id(found.turns)
