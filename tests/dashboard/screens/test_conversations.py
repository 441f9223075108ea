"""Documents and prompts that are conversations, on every screen that draws one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.screens.explain.documents import PASSAGE
from indexer.database.reader import Database, Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words
from tests.synthetic_database import build_synthetic
from tests.synthetic_reading import conversation, reading

Open = Callable[..., AppTest]
CHAT = conversation()


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic database with a long conversation, read in windows, in its corpus."""
    folder = tmp_path_factory.mktemp("chats")
    build_synthetic(folder, extra=[CHAT])
    return folder


@pytest.fixture(scope="module")
def best(chats: Path) -> dict[str, Any]:
    """A token whose best document is the conversation, and which stands word for word in none."""
    sql = """SELECT generation_id AS generation, position::VARCHAR AS token FROM influence
        ANTI JOIN verbatim ON influence.generation_id = verbatim.generation_id AND position BETWEEN first AND last
        WHERE document_id = ? AND rank = 1 ORDER BY ALL LIMIT 1"""
    [row] = Database(chats).current().rows(sql, [CHAT.document_id])
    return row


def spoken(item: dict[str, Any], *kinds: str) -> list[str]:
    return [text for (text, _), kind in zip(item["pieces"], item["kinds"], strict=True) if kind in kinds]


def test_input_45_a_card_shows_the_passage_with_the_heat(open_app: Open, chats: Path, best: dict[str, str]) -> None:
    [drawn] = components(open_app(best, where=chats), "document_list")
    item = drawn["items"][0]
    text = "".join(spoken(item, "", "read", "template"))
    assert item["id"] == CHAT.document_id
    assert "Tokyo" in text and len(text) <= PASSAGE
    hottest = max((abs(value), text) for text, value in item["pieces"] if value is not None)
    assert hottest[1].strip() == "Tokyo"
    assert item["before"].endswith("characters before") and item["after"].endswith("characters after")
    opened = components(open_app(best | {"document": CHAT.document_id}, where=chats), "document_list")[0]["items"][0]
    assert not opened["before"] and not opened["after"]
    n = len("".join(spoken(opened, "", "read", "template")))
    left_out = [int(item[where].split(" ")[0].replace(",", "")) for where in ("before", "after")]
    assert n == len(text) + sum(left_out)


def test_a_card_says_windows_roles_and_what_was_not_learned(open_app: Open, chats: Path, best: dict[str, str]) -> None:
    [drawn] = components(open_app(best | {"document": CHAT.document_id}, where=chats), "document_list")
    item = drawn["items"][0]
    assert spoken(item, "role") == ["system", *["user", "assistant"] * 12]
    n = reading(CHAT)[-1][3] + 1
    assert spoken(item, "window") == [f"window {i} of {n}" for i in range(2, n + 1)]
    assert any(badge["text"] == f"read in {n} windows" for badge in item["badges"])
    greyed = "".join(spoken(item, "read"))
    assert "patient guide" in greyed and "And what is the capital" in greyed and "roads" not in greyed
    assert drawn["keys"][0].startswith("Loss on the assistant's words; greyed tokens")
    [drawn] = components(open_app(best, where=chats), "document_list")
    assert any("of 13" in badge["text"] and "window" in badge["text"] for badge in drawn["items"][0]["badges"])


def test_the_page_of_a_document_draws_it_alike(open_app: Open, chats: Path) -> None:
    app = open_app({"document": CHAT.document_id}, screen="corpus", where=chats)
    drawn = next(each for each in components(app, "document_list") if each["label"] == "The document")
    assert spoken(drawn["items"][0], "role")[:3] == ["system", "user", "assistant"]
    assert drawn["keys"][0].startswith("Loss on the assistant's words")
    assert "windows, each alone" in words(app)


def test_compare_shows_the_hot_passage_of_a_long_document(open_app: Open, chats: Path, best: dict[str, str]) -> None:
    [table] = components(open_app(best | {"unit": "token"}, screen="compare", where=chats), "join_table")
    [row] = [row for row in table["rows"] if row["id"] == CHAT.document_id]
    assert "Tokyo" in row["text"] and row["text"].startswith("… ") and row["text"].endswith(" …")
    assert len(row["text"]) < 220


def test_what_was_cut_off_is_said(open_app: Open, chats: Path, tmp_path: Path) -> None:
    cut = changed(
        chats,
        tmp_path / "cut",
        [
            "DELETE FROM influence_position",
            f"DELETE FROM document_token WHERE document_id = '{CHAT.document_id}' AND read_in > 0",  # noqa: S608
        ],
    )
    app = open_app({"document": CHAT.document_id}, screen="corpus", where=cut)
    drawn = next(each for each in components(app, "document_list") if each["label"] == "The document")
    assert drawn["items"][0]["notice"].startswith("Not covered: its last ")


def test_an_older_database_draws_the_same_text(
    open_app: Open, chats: Path, best: dict[str, str], tmp_path: Path
) -> None:
    older = changed(
        chats,
        tmp_path / "older",
        [
            *(f"ALTER TABLE document_token DROP {name}" for name in ("read_in", "learned")),
            *(f"ALTER TABLE document DROP {name}" for name in ("turns", "times")),
            *(f"ALTER TABLE answer_source DROP sum_{name}" for name in ("document_id", "source", "score", "tokens")),
        ],
    )
    for screen in ("explain", "runs", "corpus"):
        app = open_app(best | {"document": CHAT.document_id}, screen=screen, where=older)
        assert not app.exception, screen
    assert components(open_app(best, where=older), "document_list")[0]["items"][0]["kinds"]
    new, old = (components(open_app(screen="runs", where=where), "prompt_table")[0] for where in (chats, older))
    assert [written(row) for row in new["rows"]] == [written(row) for row in old["rows"]]


def written(row: dict[str, Any]) -> dict[str, Any]:
    """A prompt with its answers, without the documents that they are said to come from: an older file knows these by
    the sum of what it kept, not for the whole answer."""
    answers = [
        {name: of for name, of in each.items() if name not in ("source", "said", "name")} for each in row["answers"]
    ]
    assert len(answers[0]) > 3
    return row | {"answers": answers}


def test_a_document_that_was_seen_three_times_says_so(
    open_app: Open, chats: Path, best: dict[str, str], tmp_path: Path
) -> None:
    seen = changed(
        chats,
        tmp_path / "seen",
        ["UPDATE document SET times = NULL", f"UPDATE document SET times = 3 WHERE document_id = '{CHAT.document_id}'"],  # noqa: S608
    )
    [drawn] = components(open_app(best, where=seen), "document_list")
    told = {item["id"]: [badge["text"] for badge in item["badges"]] for item in drawn["items"]}
    assert [document_id for document_id, badges in told.items() if "seen 3 times" in badges] == [CHAT.document_id]
    assert not any("seen 1 " in badge for badges in told.values() for badge in badges)
    said = "It stands in the training files 3 times; its influence is that of all its copies."
    assert said in words(open_app({"document": CHAT.document_id}, screen="corpus", where=seen))
    assert "stands in the training files" not in words(
        open_app({"document": CHAT.document_id}, screen="corpus", where=chats)
    )


def _chat(snapshot: Snapshot) -> str:
    [row] = (
        snapshot.rows("""SELECT generation_id FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
        WHERE kind = 'chat' ORDER BY n_params LIMIT 1""")
    )
    return str(row["generation_id"])


def test_input_46_the_turns_of_a_chat_are_chips(open_app: Open, snapshot: Snapshot) -> None:
    chat = _chat(snapshot)
    [strip] = components(open_app({"generation": chat, "token": "0"}), "token_strip")
    assert [token["role"] for token in strip["prompt"] if token["role"]] == ["system", "user", "assistant"]
    said = "".join(token["text"] for token in strip["prompt"] if not token["template"])
    assert said == " You answer in one sentence. What is the capital of India?"
    assert all(token["v"] is not None for token in strip["prompt"])  # the template's tokens keep their saliency
    [table] = components(open_app(screen="runs"), "prompt_table")
    assert [["system", "You answer in one sentence."], ["user", "What is the capital of India?"]] in [
        row["turns"] for row in table["rows"]
    ]
    app = open_app({"generation": chat}, screen="compare")
    assert "user What is the capital of India?" in words(app)


def names_of(snapshot: Snapshot) -> list[dict]:
    return snapshot.rows("SELECT generation_id, name FROM generation JOIN model USING (model_id)")


def test_input_47_the_box_asks_the_model_of_the_page(open_app: Open, snapshot: Snapshot) -> None:
    rows = snapshot.rows(
        "SELECT generation_id, name FROM generation JOIN model USING (model_id) ORDER BY name LIMIT 90"
    )
    for name in ("synth-l", "synth-m"):
        of = next(row["generation_id"] for row in rows if row["name"] == name)
        app = open_app({"generation": of, "token": "0"})
        assert app.selectbox(key="ask size").value == name
    app.selectbox(key="ask size").set_value("synth-s").run()
    [shown] = [row["name"] for row in names_of(snapshot) if row["generation_id"] == app.query_params["generation"]]
    assert (app.selectbox(key="ask size").value, shown) == ("synth-s", "synth-s")  # one selector: the page's size
    for screen in ("corpus", "runs"):  # without an answer: the size that they show
        assert open_app({"size": "synth-m"}, screen=screen).selectbox(key="ask size").value == "synth-m"
    assert open_app(screen="corpus").selectbox(key="ask size").value == "synth-l"  # of the example
