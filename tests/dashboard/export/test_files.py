import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from dashboard.address.selection import Selection, from_address
from dashboard.database.queries import answers
from dashboard.database.queries.kept_answer import StoredAnswer
from dashboard.export.files import as_json, csv, parquet
from dashboard.screens.explain.explanation import Explanation, explain
from dashboard.screens.explain.page import explained_page
from dashboard.screens.explain.sheet import explained_sheet
from indexer.database.reader import Snapshot
from tests.dashboard.hostile import HOSTILE


@pytest.fixture(scope="module")
def selection(snapshot: Snapshot) -> Selection:
    generation = answers.example(snapshot)
    assert generation is not None
    return Selection(generation=generation.generation_id, span=(0, 0), normaliser="grad_norm")


@pytest.fixture(scope="module")
def found(snapshot: Snapshot, selection: Selection) -> Explanation:
    generation = answers.generation(snapshot, selection.generation)
    assert generation is not None
    return explain(snapshot, selection, StoredAnswer(snapshot, generation, selection.run))


def test_tables_equal_sql(found: Explanation, selection: Selection, snapshot: Snapshot) -> None:
    rows = snapshot.rows(
        """SELECT document_id, score, score / grad_norm AS value FROM influence
        WHERE run_id = ? AND generation_id = ? AND position = 0 ORDER BY value DESC""",
        [found.run.run_id if found.run else "", selection.generation],
    )
    made = explained_sheet(found, selection).table()
    assert made["document_id"].tolist() == [row["document_id"] for row in rows]
    np.testing.assert_allclose(made["value"], [row["value"] for row in rows], rtol=1e-6)
    again = pd.read_parquet(io.BytesIO(parquet(explained_sheet(found, selection))))
    np.testing.assert_allclose(again["influence_nats"], made["influence_nats"])
    np.testing.assert_allclose([sum(each) for each in again["layer_scores"]], again["influence_nats"], rtol=1e-4)
    read = pd.read_csv(io.BytesIO(csv(explained_sheet(found, selection))))
    np.testing.assert_allclose(read["value"], made["value"])


def test_json_holds_the_view(found: Explanation, selection: Selection) -> None:
    made = json.loads(as_json(explained_sheet(found, selection)))
    assert from_address(made["address"]) == selection
    assert made["answer"] == found.generation.text
    assert len(made["rows"]) == len(found.ranked)
    assert len(made["rows"][0]["layer_scores"]) == sum(len(group.members) for group in found.groups)


def test_the_page_needs_nothing_and_shows_the_same(found: Explanation, selection: Selection) -> None:
    page = explained_page(found, selection).decode()
    assert not re.search(r"https?:|<script|<link|@import|url\(| src=", page)
    for each in found.shown:
        assert found.documents[each.document_id].title in page


def test_hostile_text_is_escaped(found: Explanation, selection: Selection) -> None:
    from dataclasses import replace

    documents = {key: replace(each, title=HOSTILE[0], text=" ".join(HOSTILE)) for key, each in found.documents.items()}
    generation = replace(found.generation, prompt=HOSTILE[0], model=replace(found.generation.model, name=HOSTILE[1]))
    tokens = [replace(token, text=HOSTILE[i % len(HOSTILE)]) for i, token in enumerate(found.tokens)]
    hostile = replace(found, documents=documents, generation=generation, tokens=tokens, heats={}, prompt_tokens=[])
    page = explained_page(hostile, selection).decode()
    assert not re.search(r"<(script|iframe|img|style [^>]*|svg|a )", page.partition("</head>")[2])
