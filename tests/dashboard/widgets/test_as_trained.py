"""What cards say about how training read their documents."""

import json

import pytest

from dashboard.database.records import StoredDocument
from dashboard.drawing.shapes import Card, Heated
from dashboard.widgets.as_trained import READ_ONLY, reading_keys, seen_badge

CHAT = {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I am."}]}
COMPLETION = {"completion": "B", "prompt": "A"}
PAIR = {"chosen": "B", "prompt": [{"role": "assistant", "content": "A"}], "rejected": "C"}
PARTED = "what follows where the chosen and the rejected answer part"


def keys(*turns: object, kinds: tuple[str, ...] = ("read",)) -> list[str]:
    made = [StoredDocument(str(i), "", "", "", "", "", json.dumps(each, separators=(",", ":")) if each else "")
            for i, each in enumerate(turns)]  # fmt: skip
    pieces = [Heated("x", None, kind) for kind in kinds]
    return reading_keys([Card(each.document_id, "", "", pieces) for each in made], made)


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ((CHAT,), "the assistant's words"),
        ((COMPLETION,), "the completion"),
        ((PAIR,), PARTED),
        ((CHAT, PAIR), f"the assistant's words and on {PARTED}"),
        ((PAIR, COMPLETION, CHAT, None), f"the assistant's words and on the completion and on {PARTED}"),
    ],
)
def test_the_key_names_all_that_was_learned(turns: tuple[object, ...], said: str) -> None:
    assert keys(*turns) == [f"Loss on {said}; {READ_ONLY}"]


def test_there_are_keys_for_what_is_drawn_only() -> None:
    assert keys(CHAT, kinds=("", "unread")) == []
    assert keys(CHAT, kinds=("template",)) == ["Small: the chat template's own"]
    assert keys(None) == [f"G{READ_ONLY[1:]}"]


@pytest.mark.parametrize(("times", "said"), [(1, ()), (3, ("seen 3 times",)), (1200, ("seen 1,200 times",))])
def test_a_document_that_stands_there_more_than_once_says_so(times: int, said: tuple[str, ...]) -> None:
    badges = seen_badge(StoredDocument("d", "", "", "", "", "", "", times))
    assert tuple(text for text, _ in badges) == said
