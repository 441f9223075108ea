"""Target sets from Python are what the database holds, asked in the plainest SQL."""

from pathlib import Path

import numpy as np
import pytest

import whence
from tests.whence.test_runs import sql
from whence.runs import Runs
from whence.sets import DOCUMENTS, LISTED


def test_every_set_of_every_model_is_listed(runs: Runs, folder: Path) -> None:
    stored = sql(folder, "SELECT name, n_texts, value FROM set_target ORDER BY name, value")
    found = runs.sets()
    assert tuple(found.columns) == LISTED
    rows = found[["name", "n_texts", "value"]].sort_values(["name", "value"])
    assert list(rows.itertuples(index=False, name=None)) == stored


def test_documents_curve_groups_and_texts(runs: Runs, folder: Path) -> None:
    of = runs.set("capitals", model="synth-m")
    where = """run_id = (SELECT run_id FROM run JOIN model USING (model_id) WHERE model.name = 'synth-m'
               AND method = 'ekfac') AND set_influence.name = 'capitals'"""
    stored = sql(
        folder,
        f"""SELECT rank, document_id, text, score, estimate FROM set_influence JOIN document USING (document_id)
            WHERE {where} ORDER BY rank""",  # noqa: S608
    )
    found = of.documents()
    assert tuple(found.columns) == DOCUMENTS
    names = ["rank", "document_id", "text", "influence", "estimate"]
    assert list(found[names].itertuples(index=False, name=None)) == stored
    assert of.curve["place"].is_monotonic_increasing and (np.diff(of.curve["estimate"]) <= 0).all()
    assert {"", "source", "topic"} <= set(of.groups["column_name"])
    assert len(of.texts) == of.target.n_texts
    assert runs.set("capitals").model == "synth-s"  # the smallest


@pytest.mark.parametrize(("name", "model", "said"), [("x", "", "choose from capitals"), ("capitals", "y", "synth-s")])
def test_another_set_or_model_is_one_line(runs: Runs, name: str, model: str, said: str) -> None:
    with pytest.raises(whence.BadInput, match=said):
        runs.set(name, model)
