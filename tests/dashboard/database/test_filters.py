"""A word is found however a tokenizer cuts it."""

import re

import duckdb
import pytest

from attribution.errors import BadInput
from dashboard.database.queries.filters import passing_answers
from dashboard.database.whole_words import python_pattern
from indexer.database.reader import Snapshot
from indexer.database.statements import create_tables
from indexer.database.summaries import SUMMARIES

ANSWERS = {  # as tokens
    "p1": [" T", "ok", "y", "o", ", of course."],
    "p2": [" Tok", "yo", "ta makes cars."],
    "p3": [" Buenos", " Air", "es"],
    "p4": ["東京", "です"],
    "p5": [" a_b costs", " $", "5"],
    "p6": [" Éire", " öst", " ΣΟΦΙΑ", " 4ever", " \u212aelvin", " iPhone"],
}


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    db = duckdb.connect()
    create_tables(db)
    db.execute("INSERT INTO model (model_id, name) VALUES ('m', 'small')")
    for i, (name, tokens) in enumerate(ANSWERS.items()):
        text = "".join(tokens)
        db.execute("INSERT INTO prompt (prompt_id, text, topic) VALUES (?, ?, '')", [name, f"prompt {i}"])
        db.execute(
            "INSERT INTO generation (generation_id, prompt_id, model_id, text) VALUES (?, ?, 'm', ?)",
            [name, name, text],
        )
        for position, token in enumerate(tokens):
            db.execute(
                "INSERT INTO generation_token (generation_id, position, text) VALUES (?, ?, ?)", [name, position, token]
            )
        db.execute("INSERT INTO document (document_id, text) VALUES (?, ?)", [f"d{i}", text])
        db.execute("INSERT INTO influence (document_id, rank, score) VALUES (?, 1, 1.0)", [f"d{i}"])
    for table in ("token_answer", "document_word"):
        db.execute(f"CREATE TABLE {table} AS {SUMMARIES[table]}")
    db.execute(
        """CREATE TABLE helped_answer AS SELECT 'd' || rowid AS document_id, [rowid::INTEGER] AS generations
           FROM generation"""
    )
    return Snapshot("made", 1, "", 10.0, db)


def found(snapshot: Snapshot, token: str, match: str = "word", within: str = "answers") -> list[str]:
    return list(passing_answers(snapshot, token=token, match=match, within=within))


@pytest.mark.parametrize("within", ["answers", "documents"])
@pytest.mark.parametrize(
    ("token", "match", "wanted"),
    [
        ("Tokyo", "word", ["p1"]),
        (" tokyo ", "word", ["p1"]),
        ("Tok", "word", []),
        ("Tok", "prefix", ["p1", "p2"]),
        ("okyo", "prefix", []),
        ("buenos aires", "word", ["p3"]),
        ("Buenos Air", "word", []),
        ("Buenos Air", "prefix", ["p3"]),
        ("東京", "word", ["p4"]),
        ("京で", "word", ["p4"]),
        ("$5", "word", ["p5"]),
        ("T.kyo", "word", []),
        ("a_b", "word", ["p5"]),
        ("éIRE", "word", ["p6"]),
        ("ÖS", "prefix", ["p6"]),
        ("σοφια", "word", ["p6"]),
        ("4EVER", "word", ["p6"]),
        ("kelvin", "word", ["p6"]),
        ("IPHONE", "word", ["p6"]),
        ("phone", "word", []),
    ],
)
def test_input_33_words_are_found_however_they_are_cut(snapshot, token, match, wanted, within):
    assert found(snapshot, token, match, within) == wanted
    texts = {name: "".join(tokens) for name, tokens in ANSWERS.items()}
    marked = [name for name, text in texts.items() if re.search(python_pattern(token, match), text)]
    assert marked == wanted


def test_input_33_a_token_is_an_option(snapshot):
    assert found(snapshot, "Tok", "literal") == ["p2"]
    assert found(snapshot, "Tokyo", "literal") == []
    assert found(snapshot, "^ T(ok)?$", "regex") == ["p1", "p2"]
    assert found(snapshot, "Tokyo", "literal", "documents") == ["p1"]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(", "a ( has no )"),
        (")", "a ) has no ("),
        ("[a", "a [ has no ]"),
        ("*a", "nothing stands before a *"),
        ("a**", "two signs of repetition"),
        ("a{9999}", "a repetition is too large"),
        (r"\j", "means nothing with it"),
        ("a\\", "nothing follows the last"),
        ("[z-a]", "runs backwards"),
        ("(?<=a)b", "patterns here do not know"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_told_in_the_words_of_whoever_typed_it(snapshot, pattern, told):
    with pytest.raises(BadInput, match=re.escape(told)):
        found(snapshot, pattern, "regex")
