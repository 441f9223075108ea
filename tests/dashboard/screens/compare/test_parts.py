"""Components in Compare: concentration, where a token is decided, and who reads a word, against SQL."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.components.name import Component
from dashboard.database.queries import answers
from dashboard.database.records import Generation
from dashboard.export.files import as_json
from dashboard.screens.compare.sheet import compared_sheet
from dashboard.screens.compare.sizes.comparison import Size, answers_in, at
from dashboard.screens.compare.sizes.parts import Parts, most_read, parts_of, readers, words_of
from indexer.database.reader import Snapshot
from tests.dashboard.drawn import components
from tests.synthetic_inside import COPIES, HEADS, KEPT

Open = Callable[..., AppTest]
POSITION = 1


@pytest.fixture(scope="module")
def prompt_id(snapshot: Snapshot) -> str:
    [row] = snapshot.rows("SELECT prompt_id FROM prompt WHERE text = 'The capital of France is'")
    return str(row["prompt_id"])


def tokens_of(snapshot: Snapshot, generations: list[Generation]) -> list[Size]:
    return at(snapshot, answers_in(snapshot, generations, "token"), POSITION)


@pytest.fixture(scope="module")
def parts(snapshot: Snapshot, prompt_id: str) -> list[Parts]:
    generations = answers.generations_of(snapshot, [prompt_id])[prompt_id]
    return parts_of(snapshot, tokens_of(snapshot, generations))


def test_shares_are_those_of_the_total_effects(snapshot: Snapshot, prompt_id: str, parts: list[Parts]) -> None:
    rows = snapshot.rows(
        """SELECT total_heads, total_neurons FROM component_effect JOIN generation USING (generation_id)
        JOIN model USING (model_id) WHERE prompt_id = ? AND position = ? ORDER BY n_params""",
        [prompt_id, POSITION],
    )
    assert [each.n_heads for each in parts] == [2 * HEADS, 3 * HEADS, 4 * HEADS]
    for each, row in zip(parts, rows, strict=True):
        heads, neurons = (np.sort(np.abs(row[name]))[::-1] for name in ("total_heads", "total_neurons"))
        assert each.heads_share == pytest.approx(heads[:5].sum() / heads.sum())
        assert each.heads_even == pytest.approx(heads.sum() ** 2 / (heads**2).sum())
        assert each.neurons_share == pytest.approx(neurons[:5].sum() / neurons.sum())
        assert each.n_neurons == KEPT and each.decided == 1
        assert next(iter(each.heads)) == Component("head", *COPIES)


def test_the_word_that_the_strongest_heads_read(snapshot: Snapshot, parts: list[Parts]) -> None:
    words = words_of(snapshot, parts)
    word = most_read(parts, words)
    assert {each.position: each.text for each in words}[word or 0] == " France"
    found = readers(parts, word or 0)
    assert [head for _, head, _ in found] == [Component("head", *COPIES)] * 3
    for each, _, weight in found:
        [row] = snapshot.rows(
            """SELECT max(weights[?]) AS weight FROM component_attention
            WHERE generation_id = ? AND position = ?""",
            [(word or 0) + 1, each.size.generation.generation_id, POSITION],
        )
        assert weight == pytest.approx(row["weight"])


def test_a_size_that_wrote_other_words_is_left_out(snapshot: Snapshot, prompt_id: str) -> None:
    generations = answers.generations_of(snapshot, [prompt_id])[prompt_id]
    compared = tokens_of(snapshot, generations)
    found = parts_of(snapshot, compared, {generations[0].generation_id: False})
    assert [each.size.name for each in found] == ["synth-m", "synth-l"]


def test_the_page_names_a_reader_of_each_size(open_app: Open, snapshot: Snapshot, prompt_id: str) -> None:
    [first, *_] = answers.generations_of(snapshot, [prompt_id])[prompt_id]
    query = {"generation": first.generation_id, "token": str(POSITION), "unit": "token"}
    app = open_app(query, screen="compare")
    assert not app.exception
    [bars] = components(app, "bar_list")
    assert [bar["name"] for bar in bars["bars"]] == [f"synth-{size}: head 1.1" for size in "sml"]
    assert "word" not in app.query_params  # the word that is read most needs no choice
    other = open_app(query | {"word": "2"}, screen="compare")
    assert components(other, "bar_list")[0]["bars"] != bars["bars"]
    assert not open_app(query | {"word": "999"}, screen="compare").exception


def test_the_file_of_compare_holds_them(snapshot: Snapshot, prompt_id: str, parts: list[Parts]) -> None:
    generations = answers.generations_of(snapshot, [prompt_id])[prompt_id]
    sheet = compared_sheet(snapshot, tokens_of(snapshot, generations), parts, Selection())
    told = json.loads(as_json(sheet))["components"]
    assert [each["model"] for each in told] == ["synth-s", "synth-m", "synth-l"]
    assert [each["share_of_5_strongest_heads"] for each in told] == [each.heads_share for each in parts]
    assert all(len(each["strongest_heads"]) == 5 for each in told)
