"""What is compared: columns by word, answer and token, the fork, and what a size says of another one's document."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.queries import answers
from dashboard.screens.compare.sizes.comparison import answers_in, at, in_its_list
from dashboard.screens.compare.sizes.places import Place, clicked, column_of, departures, ended, fork
from dashboard.screens.compare.spread import block_shares
from indexer.database.reader import Snapshot
from tests.dashboard.drawn import components

Open = Callable[..., AppTest]


def made(*texts: str) -> list[Place]:
    return [Place(i, i, text) for i, text in enumerate(texts)]


def test_the_fork_is_the_first_difference_and_never_the_end() -> None:
    assert fork([made("Lima", "."), made("Lima", "!"), made("Lima", ".")]) == 1
    assert fork([made("Lima", ""), made("Lima", ".", "It"), made("Lima")]) == 0  # one ended, or was cut off
    assert fork([made("Athens"), made("Lima"), made("Lima")]) == 0
    assert fork([]) == 0 and fork([made()]) == 0
    assert departures([made("a", "b", ""), made("a", "c"), made("a")]) == [None, 1, None]
    assert departures([made("a", ""), made("a", "b")]) == [None, None]
    assert ended(made("a", "", "")) == made("a")


def test_a_second_click_goes_into_a_word_and_out_to_the_answer() -> None:
    word, token = Place(2, 4, "Lima"), Place(2, 2, "L")
    assert clicked(word, "word", False) == ("word", (2, 4)) and clicked(word, "word", True) == ("token", (2, 2))
    assert clicked(token, "token", True) == clicked(token, "word", True) == ("answer", None)
    assert clicked(Place(0, 6, "It is Lima"), "answer", True) == ("word", None)


def test_a_token_is_in_the_word_before_it() -> None:
    columns = [Place(0, 2, "Lima"), Place(4, 4, "is")]
    assert [column_of(columns, i) for i in range(6)] == [0, 0, 0, 0, 1, 1]


@pytest.fixture(scope="module")
def prompt_id(snapshot: Snapshot) -> str:
    [row] = snapshot.rows("SELECT prompt_id FROM prompt WHERE text = 'The capital of France is'")
    return str(row["prompt_id"])


@pytest.mark.parametrize("unit", ["word", "answer", "token"])
def test_documents_are_those_of_the_target_itself(snapshot: Snapshot, prompt_id: str, unit: str) -> None:
    siblings = answers.generations_of(snapshot, [prompt_id])[prompt_id]
    sizes = at(snapshot, answers_in(snapshot, siblings, unit), 0)
    assert len(sizes) == 3
    for size in sizes:
        assert size.place is not None
        if unit == "token":
            sql, value = (
                "SELECT document_id, score FROM influence WHERE run_id = ? AND generation_id = ? AND position = ?",
                0,
            )
        else:
            sql = """SELECT document_id, score FROM span_influence JOIN span USING (generation_id, span)
                WHERE run_id = ? AND generation_id = ? AND kind = ? AND first = 0"""
            value = unit  # type: ignore[assignment]
        wanted = snapshot.rows(
            f"{sql} AND score > 0 ORDER BY rank LIMIT 10",  # noqa: S608
            [size.run_id, size.generation.generation_id, value],
        )
        assert wanted and [(each.document_id, each.score) for each in size.top] == [
            (row["document_id"], pytest.approx(row["score"])) for row in wanted
        ]
        assert size.null_scores.size > 5
        texts = [each.text for each in size.columns]
        if unit == "answer":
            assert texts == [size.generation.text.strip()]
        if unit == "word":
            assert not any(sign in text for text in texts for sign in " .,") and "".join(texts) in (
                size.generation.text.replace(" ", "").replace(".", "").replace(",", "")
            )


@pytest.mark.parametrize("unit", ["word", "token"])
def test_shares_by_block_are_those_of_the_compared_column(snapshot: Snapshot, prompt_id: str, unit: str) -> None:
    siblings = answers.generations_of(snapshot, [prompt_id])[prompt_id]
    sizes = at(snapshot, answers_in(snapshot, siblings, unit), 1)
    assert len(sizes) == 3
    for size in sizes:
        shares = block_shares(snapshot, size, size.columns[:2])
        by_block: dict[int, float] = {}
        for group, share in zip(size.groups, size.shares, strict=True):
            if group.kind != "embedding":
                by_block[group.depth] = by_block.get(group.depth, 0.0) + share
        assert by_block and shares[:, 1].tolist() == pytest.approx([by_block[i] for i in sorted(by_block)], rel=1e-4)


def test_a_cell_says_what_the_size_wrote_instead(snapshot: Snapshot) -> None:
    prompts = [row["prompt_id"] for row in snapshot.rows("SELECT prompt_id FROM prompt WHERE kind = 'completion'")]
    said = set()
    for prompt_id in prompts:
        siblings = answers.generations_of(snapshot, [prompt_id])[prompt_id]
        sizes = at(snapshot, answers_in(snapshot, siblings, "word"), 0)
        for one in sizes:
            for other in sizes:
                for each in one.top:
                    cell = in_its_list(other, each.document_id, sizes)
                    if isinstance(cell, tuple):
                        assert other.top[cell[0] - 1].document_id == each.document_id
                        continue
                    said.add(cell.split()[0])
                    assert one.place is not None and other.place is not None
                    if cell.startswith("wrote"):
                        assert cell == f"wrote {other.place.text} here" and other.place.text != one.place.text
    assert said >= {"wrote"}


def test_compare_opens_at_the_fork(open_app: Open, snapshot: Snapshot) -> None:
    for row in snapshot.rows("SELECT prompt_id, any_value(generation_id) AS id FROM generation GROUP BY prompt_id")[:4]:
        siblings = answers.generations_of(snapshot, [row["prompt_id"]])[row["prompt_id"]]
        sizes = answers_in(snapshot, siblings, "word")
        words = [[each.text for each in size.columns] for size in sizes]
        differ = [i for i in range(min(map(len, words))) if len({of[i] for of in words}) > 1]
        app = open_app({"generation": row["id"]}, screen="compare")
        assert not app.exception
        [grid] = components(app, "size_grid")
        assert grid["column"] == (differ[0] if differ else 0)
        assert [[token["text"] for token in line["tokens"]] for line in grid["rows"]] == words
        assert len({line["colour"] for line in grid["rows"]}) == 3
