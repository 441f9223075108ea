"""What Inside hands out as files: the numbers of the database, and the address of the view."""

import io
import json
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest

from dashboard.address.selection import Selection, from_address
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.export.files import as_json, csv, parquet
from dashboard.export.html import page
from dashboard.export.sheet import Sheet
from dashboard.screens.inside.sheet import inside_sheet
from dashboard.screens.inside.view import view
from indexer.database.reader import Snapshot
from tests.synthetic_inside import HEADS


@pytest.fixture(scope="module")
def generation_id(snapshot: Snapshot) -> str:
    found = answers.example(snapshot)
    assert found is not None
    return found.generation_id


def sheet(snapshot: Snapshot, generation_id: str, component: str = "") -> Sheet:
    selection = Selection(generation=generation_id, span=(0, 0), component=component, effect="direct")
    generation = answers.generation(snapshot, generation_id)
    assert generation is not None
    return inside_sheet(snapshot, view(snapshot, selection, StoredAnswer(snapshot, generation)), selection)


def test_a_row_for_every_head_and_every_kept_neuron(snapshot: Snapshot, generation_id: str) -> None:
    made = sheet(snapshot, generation_id).table()
    [row] = snapshot.rows("SELECT * FROM component_effect WHERE generation_id = ? AND position = 0", [generation_id])
    heads = made[made["kind"] == "head"].sort_values(["depth", "number"])
    np.testing.assert_allclose(heads["direct_logits"], row["direct_heads"], rtol=1e-6)
    np.testing.assert_allclose(heads["total_nats"], row["total_heads"], rtol=1e-6)
    assert heads["measured_nats"].notna().sum() == 5 and len(heads) == 4 * HEADS  # of the example, which is of synth-l
    neurons = made[(made["kind"] == "neuron") & made["total_nats"].notna()]
    assert sorted(neurons["total_nats"]) == pytest.approx(sorted(row["total_neurons"]))


def test_a_row_of_a_component_reads_alone(snapshot: Snapshot, generation_id: str) -> None:
    found = answers.generation(snapshot, generation_id)
    assert found is not None
    for row in sheet(snapshot, generation_id).table().to_dict("records"):
        assert (row["model"], row["prompt"], row["answer"]) == (found.model.name, found.prompt, found.text)
        assert row["run_id"] and row["estimator"] == "EK-FAC" and (row["first_token"], row["last_token"]) == (0, 0)
        back = from_address(dict(parse_qsl(row["link"].partition("?")[2])))
        assert row["component"] == f"{row['kind']}:{row['depth']}.{row['number']}"
        assert (back.generation, back.span, back.component) == (generation_id, (0, 0), row["component"])


def test_every_file_opens(snapshot: Snapshot, generation_id: str) -> None:
    for component in ("", "head:1.1"):
        made = sheet(snapshot, generation_id, component)
        rows = made.table()
        assert len(pd.read_csv(io.BytesIO(csv(made)))) == len(pd.read_parquet(io.BytesIO(parquet(made)))) == len(rows)
        told = json.loads(as_json(made))
        assert len(told["rows"]) == len(rows) and from_address(told["address"]).component == component
        assert len(told["lens"]) == 3 and told["faithfulness"]["rank_correlation_heads"] == 0.875
        assert b"<table>" in page(made)


def test_documents_of_a_chosen_head(snapshot: Snapshot, generation_id: str) -> None:
    made = sheet(snapshot, generation_id, "head:1.1").table()
    rows = snapshot.rows(
        """SELECT document_id, head_scores[?] AS through, score FROM component_taught
        JOIN influence USING (run_id, generation_id, position, document_id)
        WHERE generation_id = ? AND position = 0 ORDER BY through DESC""",
        [HEADS + 2, generation_id],
    )
    assert made["document_id"].tolist() == [row["document_id"] for row in rows]
    np.testing.assert_allclose(made["influence_through_it_raw"], [row["through"] for row in rows], rtol=1e-5)
    np.testing.assert_allclose(made["influence_raw"], [row["score"] for row in rows], rtol=1e-5)
