"""What changes with size, against loops over the rows."""

import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.queries import answers
from dashboard.screens.compare.sizes.comparison import answers_in, at
from dashboard.screens.compare.sizes.learning import trends
from dashboard.screens.compare.with_size import chances_of, learned_rows, places_of
from indexer.corpus.verdict import is_right
from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def answered(snapshot: Snapshot) -> dict[str, list[dict[str, object]]]:
    found = defaultdict(list)
    for row in snapshot.rows("""SELECT prompt_id, generation_id, model_id, model.name, n_params, generation.text,
            prompt.answer, prompt.kind FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
            WHERE prompt.answer <> '' ORDER BY prompt.rowid, n_params"""):
        found[row["prompt_id"]].append(row | {"right": is_right(row["answer"], row["text"], row["kind"])})
    return dict(found)


def test_chance_is_that_of_the_tokens_that_write_what_is_expected(
    snapshot: Snapshot, answered: dict[str, list[dict[str, object]]]
) -> None:
    checked = 0
    for prompt_id, rows in answered.items():
        author = next((row for row in rows if row["right"]), None)
        compared = at(
            snapshot, answers_in(snapshot, answers.generations_of(snapshot, [prompt_id])[prompt_id], "word"), 0
        )
        points = {each.name: each.value for each in chances_of(snapshot, compared)}
        if author is None:
            assert not points
            continue
        text, expected = str(author["text"]), str(author["answer"])
        start = text.index(expected)
        tokens = snapshot.rows(
            "SELECT * FROM generation_token WHERE generation_id = ? AND stop > ? AND start < ?",
            [author["generation_id"], start, start + len(expected)],
        )
        wanted = {author["name"]: math.exp(sum(row["logp"] for row in tokens))}
        for row in rows:
            read = snapshot.rows(
                "SELECT position, logp FROM reading WHERE generation_id = ? AND model_id = ?",
                [author["generation_id"], row["model_id"]],
            )
            if read:
                positions = {token["position"] for token in tokens}
                wanted[row["name"]] = math.exp(sum(each["logp"] for each in read if each["position"] in positions))
        assert points == pytest.approx(wanted, rel=1e-5)
        checked += len(wanted)
    assert checked > 10


def test_rank_is_that_of_the_first_document_that_says_it(snapshot: Snapshot) -> None:
    [prompt] = snapshot.rows("SELECT prompt_id FROM prompt WHERE text = 'The capital of France is'")
    siblings = answers.generations_of(snapshot, [prompt["prompt_id"]])[prompt["prompt_id"]]
    compared = at(snapshot, answers_in(snapshot, siblings, "answer"), 0)
    for point, size in zip(places_of(snapshot, compared, "Paris"), compared, strict=True):
        rows = snapshot.rows(
            """SELECT text FROM span_influence JOIN span USING (generation_id, span) JOIN document USING (document_id)
            WHERE run_id = ? AND generation_id = ? AND kind = 'answer' AND score > 0 ORDER BY rank""",
            [size.run_id, size.generation.generation_id],
        )
        assert point.value == next(i for i, row in enumerate(rows, start=1) if "Paris" in row["text"])


def test_trends_count_what_all_sizes_answered(snapshot: Snapshot, answered: dict[str, list[dict[str, object]]]) -> None:
    found = {each.name: each for each in trends(snapshot)}
    shared = [rows for rows in answered.values() if len(rows) == 3]
    assert list(found) == ["synth-s", "synth-m", "synth-l"]
    for name, each in found.items():
        mine = [row for rows in shared for row in rows if row["name"] == name]
        assert each.n_prompts == len(shared)
        assert each.right == sum(bool(row["right"]) for row in mine) / len(mine)
        leads = [
            str(row["answer"]) in lead["text"]
            for row in mine
            for lead in snapshot.rows(
                """SELECT text FROM answer_source JOIN document ON document_id = sum_document_id
                WHERE generation_id = ?""",
                [row["generation_id"]],
            )
        ]
        assert each.led == pytest.approx(sum(leads) / len(leads))


def test_the_larger_size_learned_what_only_it_knows(
    open_app: Open, folder: Path, tmp_path: Path, answered: dict[str, list[dict[str, object]]]
) -> None:
    first, second = [rows for rows in answered.values() if all(row["right"] for row in rows)][:2]
    wrong = [str(first[0]["generation_id"]), str(second[0]["generation_id"]), str(second[1]["generation_id"])]
    spelled = ", ".join(f"'{each}'" for each in wrong)
    where = changed(
        folder,
        tmp_path / "build",
        [f"UPDATE generation SET text = ' Atlantis.' WHERE generation_id IN ({spelled})"],  # noqa: S608
    )
    app = open_app({"pair": "synth-s synth-m"}, screen="compare", where=where)
    assert not app.exception
    tables = components(app, "prompt_table")
    assert {tuple(column["name"] for column in row["columns"]) for row in tables[0]["rows"]} == {("synth-s", "synth-m")}
    ids = [[each["id"] for each in row["answers"]] for row in tables[0]["rows"]]
    assert [str(row["generation_id"]) for row in first[:2]] in ids
    assert all(small in wrong or small not in wrong[:2] for small, _ in ids)
    assert [wrong[1], wrong[2]] not in ids  # both are wrong there
    assert all(each["source"].startswith("← ") for row in tables[0]["rows"] for each in row["answers"])


def test_rows_of_the_table_name_what_both_rest_on(
    snapshot: Snapshot, answered: dict[str, list[dict[str, object]]]
) -> None:
    rows = next(iter(answered.values()))
    [row] = learned_rows(snapshot, [(str(rows[0]["generation_id"]), str(rows[-1]["generation_id"]))])
    for cell, of in zip(row.answers, (rows[0], rows[-1]), strict=True):
        assert cell is not None
        [lead] = snapshot.rows(
            """SELECT title FROM span_influence JOIN span USING (generation_id, span) JOIN document USING (document_id)
            WHERE generation_id = ? AND kind = 'answer' AND rank = 1""",
            [of["generation_id"]],
        )
        assert cell.source == f"← {lead['title']}"
