"""What a database opens on: the example is chosen by what the sizes wrote, an answer by what is scored of it."""

from collections.abc import Callable

import duckdb
import pytest

from dashboard.database.queries import answers, spans
from dashboard.database.span_records import AnswerSpan, opening, word_of
from indexer.database.reader import Snapshot
from indexer.database.statements import create_tables
from indexer.database.summaries import SUMMARIES

SIZES = {"s": 1, "m": 2, "l": 3}
# what is asked: (expected, what each size wrote, whether the document that helps m and l most states it)
KNOWN = {
    "a word of a document": ("Paris", (" Run.", " Paris.", " Paris."), True),
    "an invention, without the document": ("Cairo", (" Toroni.", " Cairo.", " Cairo."), False),
    "an invention": ("Lima", (" Aendas.", " Lima.", " Lima."), True),
    "another one": ("Oslo", (" Qwlo.", " Qwlo.", " Oslo."), True),
    "all know": ("Tokyo", (" Tokyo.", " Tokyo.", " Tokyo."), True),
    "a longer word": ("Au", (" Aubla.", " Aula.", " Aune."), False),
}
Make = Callable[..., Snapshot]


@pytest.fixture
def make() -> Make:
    def made(*asked: str) -> Snapshot:
        db = duckdb.connect()
        create_tables(db)
        for name, size in SIZES.items():
            db.execute("INSERT INTO model (model_id, name, family, n_params) VALUES (?, ?, 'f', ?)", [name, name, size])
            db.execute("INSERT INTO run (run_id, model_id, method, settings) VALUES (?, ?, 'ekfac', '')", [name, name])
        db.execute("INSERT INTO document (document_id, text) VALUES ('other', 'A run of other words.')")
        for i, key in enumerate(asked):
            expected, written, stated = KNOWN[key]
            db.execute("INSERT INTO document (document_id, text) VALUES (?, ?)", [f"d{i}", f"It is {expected}."])
            db.execute("INSERT INTO prompt (prompt_id, text, answer) VALUES (?, ?, ?)", [f"p{i}", key, expected])
            for name, text in zip(SIZES, written, strict=True):
                of = [f"{name}{i}", f"p{i}", name, text]
                db.execute("INSERT INTO generation (generation_id, prompt_id, model_id, text) VALUES (?, ?, ?, ?)", of)
                first = f"d{i}" if stated and expected in text else "other"
                row = [name, f"{name}{i}", first]
                db.execute("INSERT INTO influence (run_id, generation_id, position, rank, document_id, score) "
                           "VALUES (?, ?, 0, 1, ?, 1)", row)  # fmt: skip
        for table in ("answer_document", "answer_source", "document_word"):
            db.execute(f"CREATE TABLE {table} AS {SUMMARIES[table]}")
        return Snapshot("made", 1, "", 10.0, db)

    return made


def opened(snapshot: Snapshot) -> tuple[str, str]:
    found = answers.example(snapshot)
    assert found is not None
    return found.prompt, found.model.name


def test_a_small_size_invents_and_the_smallest_that_knows_is_shown(make: Make) -> None:
    assert opened(make(*KNOWN)) == ("an invention", "m")
    assert opened(make(*reversed(KNOWN))) == ("another one", "l")  # by the order of the prompt file


@pytest.mark.parametrize("left_out", ["an invention", "another one"])
def test_of_what_is_left_as_much_holds_as_can(make: Make, left_out: str) -> None:
    assert opened(make(*(key for key in KNOWN if key != left_out)))[0] in {"an invention", "another one"}
    without = [key for key in KNOWN if key not in ("an invention", "another one")]
    assert opened(make(*without)) == ("an invention, without the document", "m")
    assert opened(make("all know", "a word of a document")) == ("a word of a document", "m")
    assert opened(make("a longer word", "all know")) == ("all know", "s")


def test_without_a_right_answer_the_first_prompt_of_the_smallest(make: Make) -> None:
    assert opened(make("a longer word")) == ("a longer word", "s")
    assert answers.example(make()) is None


def test_an_answer_opens_whole_where_the_whole_is_a_target(make: Make) -> None:
    snapshot = make("all know")
    found = answers.generation(snapshot, "m0")
    assert found is not None and spans.opens_on(snapshot, found) == (0, 0)
    words = [AnswerSpan(0, "word", 0, 1, 0, 3), AnswerSpan(1, "word", 2, 2, 3, 5)]
    assert opening(words) == (0, 0) and opening([*words, AnswerSpan(2, "answer", 0, 3, 0, 9)]) is None
    assert [word_of(words, i) for i in range(4)] == [(0, 1), (0, 1), (2, 2), (3, 3)]
