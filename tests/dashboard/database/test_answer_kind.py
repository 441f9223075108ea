"""Right, wrong, disagreeing, copied: what the database says of answers, against a loop in Python."""

import random
import re
from collections import defaultdict
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from dashboard.database.queries.filters import knows, passing_answers
from dashboard.database.queries.passing.kinds import KINDS
from indexer.corpus import verdict
from indexer.corpus.verdict import is_right
from indexer.database.reader import Database, Snapshot
from indexer.database.statements import create_tables
from indexer.database.tables.answer_kind import answer_kinds, bare, folded
from tests.dashboard.changed import changed
from tests.dashboard.hostile import HOSTILE

LONG = "a list that goes on and on until no token is left for it"
PAIRS = [  # expected, written
    *[("Lima", each) for each in (" Lima.", "Limatambo", "Lima_2", "Lima\u0301", "lima", "", "\u2003Lima\n", "_Lima_")],
    *[("Lima", each) for each in ("It is Lima, of course", "ßLima", "Lima Lima", "a Limatambo in Lima")],
    *[("6", " 6.5"), ("a+b", "so a+b is"), ("a.b", "so axb is"), ("", "anything"), (" \u3000\n", "anything")],
    *[(LONG, LONG[:31]), (LONG, LONG[:29]), (LONG, LONG[5:40]), ("x", "x²"), ("x", "xⅫ"), ("²", "m²")],
    *[("é", "é"), ("e", "e\u0301")],
    *[(each[:60], f" {each}") for each in HOSTILE],
    *[(each[:60], f"so: {each[:60]}!") for each in HOSTILE],
]


@pytest.mark.parametrize("kind", ["completion", "chat", ""])
def test_right_is_what_the_verdict_says(kind: str) -> None:
    db = duckdb.connect()
    create_tables(db)
    db.execute("INSERT INTO model (model_id, name, family) VALUES ('m', 'small', 'one')")
    for i, (expected, written) in enumerate(PAIRS):
        db.execute("INSERT INTO prompt (prompt_id, text, kind, answer) VALUES (?, '', ?, ?)", [str(i), kind, expected])
        db.execute(
            "INSERT INTO generation (generation_id, prompt_id, model_id, text) VALUES (?, ?, 'm', ?)",
            [str(i), str(i), written],
        )
    found = dict(db.execute(f"SELECT generation_id, is_right FROM ({answer_kinds(estimators=False)})").fetchall())  # noqa: S608
    for i, (expected, written) in enumerate(PAIRS):
        assert found[str(i)] == (is_right(expected, written, kind) if expected else None), (expected, written)


# of which answers are drawn: letters with one form and with two, marks, white space of every kind
LETTERS = [*"aAbBéÉßẞİiIıΣσςΟο東京ǅǆǇ6²Ⅻ_", "e\u0301", "ｆＦ", "𐐀", "𐐨"]
BEFORE = [*" \t\n\u00a0\u2003\u3000\x1c\x85\"'“”«»「」"] * 2 + ["", "", ".", "—", "**"]
AFTER = [*BEFORE, *".,!?…。؟"]


def drawn_pairs(n: int) -> list[tuple[str, str]]:
    """Expected and written: of the same letters in another case, cut off, gone on with, within other marks."""
    draw = random.Random(0)
    found = []
    for _ in range(n):
        word = "".join(draw.choices(LETTERS, k=draw.choice([0, 1, 2, 3, 3, 40, 40])))
        other = draw.choice([str.lower, str.upper, str.swapcase, str.title, str])(word)
        other = draw.choice([other, other, other[: draw.randrange(45)], other + draw.choice(LETTERS), other * 2])
        before, first, after, last = ("".join(draw.choices(of, k=2)) for of in (BEFORE, BEFORE, AFTER, AFTER))
        found.append((before + word + after, draw.choice(["", "", "so: "]) + first + other + last))
    return found


@pytest.mark.parametrize("kind", ["completion", "chat"])
def test_right_of_drawn_pairs_is_what_the_verdict_says(kind: str) -> None:
    pairs = drawn_pairs(5000)
    db = duckdb.connect()
    create_tables(db)
    db.execute("INSERT INTO model (model_id, name, family) VALUES ('m', 'small', 'one')")
    rows = pa.table(
        {"id": [str(i) for i in range(len(pairs))], "expected": [a for a, _ in pairs], "written": [b for _, b in pairs]}
    )
    db.register("drawn", rows)
    db.execute(f"INSERT INTO prompt (prompt_id, text, kind, answer) SELECT id, '', '{kind}', expected FROM drawn")  # noqa: S608
    columns = "id AS generation_id, id AS prompt_id, 'm' AS model_id, written AS text"
    db.execute(f"INSERT INTO generation BY NAME SELECT {columns} FROM drawn")  # noqa: S608
    found = dict(db.execute(f"SELECT generation_id, is_right FROM ({answer_kinds(estimators=False)})").fetchall())  # noqa: S608
    wanted = {str(i): is_right(a, b, kind) if a else None for i, (a, b) in enumerate(pairs)}
    assert found == wanted
    assert 0.1 * len(pairs) < sum(map(bool, wanted.values())) < 0.9 * len(pairs)


def test_every_character_is_folded_as_the_verdict_folds_it() -> None:
    every = [chr(i) for i in range(1, 0x110000) if not 0xD800 <= i < 0xE000]
    db = duckdb.connect()
    db.register("every", pa.table({"it": every}))
    made = db.execute(f"SELECT {folded('it')}, {bare('it')} FROM every").fetchall()  # noqa: S608
    assert made == [(verdict.folded(each), verdict.bare(each)) for each in every]


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def expected_kinds(snapshot: Snapshot) -> dict[str, set[str]]:
    rows = snapshot.rows("""SELECT generation_id, prompt_id, family, kind, answer, generation.text FROM generation
        JOIN prompt USING (prompt_id) JOIN model USING (model_id)""")
    right = {row["generation_id"]: is_right(row["answer"], row["text"], row["kind"]) for row in rows}
    beside = defaultdict(list)
    for row in rows:
        beside[row["prompt_id"], row["family"]].append(row)
    first = defaultdict(set)
    for row in snapshot.rows("SELECT generation_id, sum_document_id AS top FROM answer_source"):
        first[row["generation_id"]].add(row["top"])
    copied = set()
    for row in rows:
        tokens = snapshot.rows("SELECT * FROM generation_token WHERE generation_id = ?", [row["generation_id"]])
        ends = max(token["position"] for token in tokens if token["stop"] > token["start"])
        spans = snapshot.rows("SELECT * FROM verbatim WHERE generation_id = ?", [row["generation_id"]])
        if any(span["first"] == 0 and span["last"] >= ends for span in spans):
            copied.add(row["generation_id"])
    ids = {row["generation_id"] for row in rows}
    return {
        "right": {each for each in ids if right[each]},
        "wrong": {each for each in ids if not right[each]},
        "sizes": {
            row["generation_id"]
            for of in beside.values()
            if len({tuple(words_of(row["text"])) for row in of}) > 1
            and not all(right[row["generation_id"]] for row in of)
            for row in of
        },
        "estimators": {each for each, tops in first.items() if len(tops) > 1},
        "verbatim": copied,
        "new": ids - copied,
    }


@pytest.fixture(scope="module")
def mixed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Snapshot]:
    """Answers that are wrong, that differ and that are copied; with the table of kinds, and of an older build."""
    changes = [
        "UPDATE generation SET text = ' Cusco.' WHERE rowid % 7 = 0",
        "INSERT INTO answer_source SELECT * REPLACE ('other' AS run_id, 'none' AS sum_document_id)"
        " FROM answer_source LIMIT 2",
        "INSERT INTO verbatim SELECT generation_id, 0, max(position), 1, 1 FROM generation_token"
        " GROUP BY generation_id ORDER BY generation_id LIMIT 3",
    ]
    again = ["DROP TABLE answer_kind", f"CREATE TABLE answer_kind AS {answer_kinds()}"]
    return {
        "now": Database(changed(folder, tmp_path_factory.mktemp("now") / "build", [*changes, *again])).current(),
        "older": Database(changed(folder, tmp_path_factory.mktemp("older") / "build", [*changes, again[0]])).current(),
    }


@pytest.mark.parametrize("age", ["now", "older"])
def test_every_kind_is_found_and_nothing_else(mixed: dict[str, Snapshot], age: str) -> None:
    snapshot = mixed[age]
    expected = expected_kinds(snapshot)
    assert all(expected[kind] for kind in KINDS)
    for kind in KINDS:
        found = passing_answers(snapshot, only=[kind])
        assert {each for ids in found.values() for each in ids} == expected[kind], kind
    both = passing_answers(snapshot, only=["wrong", "new"])
    assert {each for ids in both.values() for each in ids} == expected["wrong"] & expected["new"]


def test_what_a_database_cannot_tell_is_said(folder: Path, tmp_path: Path) -> None:
    gone = ["DROP TABLE answer_kind", "DROP TABLE verbatim", "ALTER TABLE answer_source DROP COLUMN sum_document_id"]
    snapshot = Database(changed(folder, tmp_path / "build", gone)).current()
    assert knows(snapshot, ["right", "wrong", "sizes"])
    for kind in ("estimators", "verbatim", "new"):
        assert not knows(snapshot, [kind])
        assert passing_answers(snapshot, only=[kind]) == {}
