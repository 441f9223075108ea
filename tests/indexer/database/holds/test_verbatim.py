"""Damage of spans and places is found, and what a tokenizer may do to a text is none."""

import duckdb
import pytest

from indexer.database.holds.verbatim import broken, folded
from indexer.database.schema import TABLES

TEXTS = {"a": ["<", "The", " cap", "ital", ">"], "b": ["So", " the", " cap", "ital"]}


@pytest.fixture
def db():
    found = duckdb.connect()
    for table in ("verbatim", "verbatim_place", "generation", "model", "generation_token", "document_token"):
        found.execute(f"CREATE TABLE {table} ({TABLES[table]})")
    found.execute("INSERT INTO model (model_id, tokenizer_id) VALUES ('m', 't')")
    found.execute("INSERT INTO generation (generation_id, model_id) VALUES ('g', 'm')")
    for position, text in enumerate(["Is", " the", " cap", "ital", "."]):
        found.execute(
            "INSERT INTO generation_token (generation_id, position, text) VALUES ('g', ?, ?)", [position, text]
        )
    for document_id, tokens in TEXTS.items():
        for n, text in enumerate(tokens):
            read_in = 1 if document_id == "a" and n == 4 else 0
            found.execute(
                """INSERT INTO document_token (tokenizer_id, document_id, token_position, text, read_in)
                   VALUES ('t', ?, ?, ?, ?)""",
                [document_id, n, text, read_in],
            )
    found.execute("INSERT INTO verbatim VALUES ('g', 1, 3, 2, 2)")
    found.execute("INSERT INTO verbatim_place VALUES ('g', 1, 'a', 1), ('g', 1, 'b', 1)")
    return found


def found(db) -> dict[str, int]:
    return {what: n for what, n in broken(db) if n}


def test_what_is_whole_has_no_damage(db):
    assert found(db) == {}
    db.execute("INSERT INTO document_token SELECT * FROM document_token WHERE document_id = 'a'")  # of two stages
    assert found(db) == {}


DAMAGE = {
    "outside their answer": "UPDATE verbatim SET last = 9",
    "inside a longer one": "INSERT INTO verbatim VALUES ('g', 2, 3, 1, 1)",
    "fewer places or documents": "UPDATE verbatim SET n_places = 1",
    "of no span": "INSERT INTO verbatim_place VALUES ('g', 0, 'a', 1)",
    "outside the windows": "UPDATE verbatim_place SET token_position = 2 WHERE document_id = 'a'",
    "something else": "UPDATE verbatim_place SET token_position = 0 WHERE document_id = 'b'",
}


@pytest.mark.parametrize("said, damage", DAMAGE.items(), ids=DAMAGE.keys())
def test_damage_is_found(db, said, damage):
    db.execute(damage)
    assert any(said in what for what in found(db))


def test_only_what_a_tokenizer_may_change_is_overlooked():
    assert folded("Ｃafé \n au ﬁl") == folded("cafe au fil\ufffd")
    assert folded("Lima") != folded("Lina")


def test_an_end_that_a_template_writes_as_text_and_an_answer_does_not_spell_is_the_same(db):
    db.execute("UPDATE verbatim SET last = 4")
    db.execute("UPDATE generation_token SET text = '' WHERE position = 4")
    db.execute("UPDATE document_token SET text = '<|im_end|>', read_in = 0 WHERE document_id = 'a' AND text = '>'")
    db.execute("""INSERT INTO document_token SELECT * REPLACE ('b' AS document_id)
        FROM document_token WHERE text = '<|im_end|>'""")
    assert found(db) == {}
    db.execute("UPDATE document_token SET text = ' town' WHERE document_id = 'b' AND token_position = 3")
    assert any("something else" in what for what in found(db))
    db.execute("UPDATE generation_token SET text = '' WHERE position = 3")  # inside an answer it is no end
    assert any("something else" in what for what in found(db))
