"""A document's page shades its text by its influence on one answer that is chosen: what SQL says each token carries."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.queries import answers, documents, spans
from dashboard.export.files import as_json
from dashboard.screens.corpus.document_sheet import document_sheet
from dashboard.screens.corpus.shaded import shaded
from indexer.database.reader import Snapshot
from tests.dashboard.calibrated import nats
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words
from tests.synthetic_database import TOKENIZER

Open = Callable[..., AppTest]
STORED = """SELECT generation_id, span, score, shares, loss_influences, value AS logp, name FROM span_position
    JOIN span USING (generation_id, span) JOIN span_target USING (run_id, generation_id, span)
    JOIN span_influence USING (run_id, generation_id, span, document_id)
    JOIN run USING (run_id) JOIN model USING (model_id)
    WHERE kind = 'answer' AND document_id = ? AND name = ? ORDER BY abs(score) DESC, generation_id"""


@pytest.fixture(scope="module")
def document_id(snapshot: Snapshot) -> str:
    """One whose heat is stored for several answers of the size that is calibrated."""
    [row] = snapshot.rows("""SELECT document_id FROM span_position JOIN span USING (generation_id, span)
        JOIN run USING (run_id) JOIN model USING (model_id) WHERE kind = 'answer' AND name = 'synth-m'
        GROUP BY document_id ORDER BY count(*) DESC, document_id LIMIT 1""")
    return str(row["document_id"])


def drawn(app: AppTest) -> dict:
    [data] = [each for each in components(app, "document_list") if each["label"] == "The document"]
    return data


@pytest.mark.parametrize("heat", ["loss_influences", "shares"])
def test_the_text_is_shaded_by_the_chosen_answer(
    open_app: Open, snapshot: Snapshot, document_id: str, heat: str
) -> None:
    stored = snapshot.rows(STORED, [document_id, "synth-m"])
    known = [
        each.generation_id
        for each in spans.heated_answers(snapshot, _run(snapshot, "synth-m"), document_id)
        if each.span is not None
    ]
    assert known == [row["generation_id"] for row in stored] and len(stored) > 1
    row = stored[1]
    query = {"document": document_id, "size": "synth-m", "heatof": row["generation_id"], "heat": heat}
    app = open_app(query, screen="corpus")
    assert not app.exception
    data = drawn(app)
    factor = nats(row["score"], row["logp"]) / row["score"]
    texts = documents.document_tokens(snapshot, TOKENIZER, [document_id])[document_id]
    values = [factor * each for each, text in zip(row[heat], texts, strict=True) if text != "<end>"]
    legend = data["heat"]
    assert legend["signed"] and ("learning each" in legend["name"]) == (heat == "loss_influences")
    [item] = data["items"]
    assert not item["unsigned"]
    told = [float(words.split()[0].replace("−", "-")) for words in item["told"] if words]
    step = max(10.0 ** -len(words.split()[0].partition(".")[2]) for words in item["told"] if words)
    assert told == pytest.approx(values, abs=step)
    assert "to this answer." in words(app)


def _run(snapshot: Snapshot, size: str) -> str:
    [row] = snapshot.rows("SELECT run_id FROM run JOIN model USING (model_id) WHERE name = ?", [size])
    return str(row["run_id"])


def test_all_answers_are_shown_first_and_one_is_chosen_by_its_name(
    open_app: Open, snapshot: Snapshot, document_id: str
) -> None:
    app = open_app({"document": document_id, "size": "synth-m"}, screen="corpus")
    assert drawn(app)["heat"]["name"].startswith("Size of its influence on all stored answers")
    stored = snapshot.rows(STORED, [document_id, "synth-m"])
    box = app.selectbox(key="control heated")
    assert box.options[0] == "All stored answers together" and len(box.options) > len(stored)
    box.set_value(stored[0]["generation_id"]).run()
    assert app.query_params["heatof"] == stored[0]["generation_id"]
    assert drawn(app)["heat"]["name"].startswith("Tokens of a document, learning each")
    app.selectbox(key="control heated").set_value("").run()
    assert "heatof" not in app.query_params and not drawn(app)["heat"]["signed"]
    app = open_app({"document": document_id, "size": "synth-m", "heatof": "nonsense"}, screen="corpus")
    assert not app.exception and any("heat is not stored; all are shown" in each.value for each in app.caption)
    assert not drawn(app)["heat"]["signed"]


def test_another_document_is_shaded_by_all_again(document_id: str) -> None:
    chosen = Selection(document=document_id, heated="g")
    assert chosen.with_(document="d" * 16).heated == "" and chosen.with_(document=document_id).heated == "g"


def test_of_a_database_without_words_the_tokens_are_summed(
    open_app: Open, snapshot: Snapshot, folder: Path, tmp_path: Path
) -> None:
    [row] = (
        snapshot.rows("""SELECT document_id, generation_id, count(*) AS n, list(shares) AS shares, sum(score) AS score
        FROM influence_position JOIN influence USING (run_id, generation_id, position, document_id)
        JOIN run USING (run_id) JOIN model USING (model_id) WHERE name = 'synth-m'
        GROUP BY document_id, generation_id ORDER BY n DESC, document_id, generation_id LIMIT 1""")
    )
    where = changed(folder, tmp_path / "build", ["DROP TABLE document_span", "DROP TABLE span_position"])
    query = {"document": row["document_id"], "size": "synth-m", "heatof": row["generation_id"], "heat": "shares"}
    app = open_app(query, screen="corpus", where=where)
    assert not app.exception
    assert f"to {row['n']} tokens of this answer." in words(app) and "for the whole answer" in words(app)
    total = [sum(of) for of in zip(*row["shares"], strict=True)]
    [item] = drawn(app)["items"]
    signs = [amount > 0 for _, amount in item["pieces"] if isinstance(amount, float) and abs(amount) > 0.02]
    top = max(map(abs, total))
    flip = 1 if nats(row["score"], -1.0) * row["score"] > 0 else -1
    assert signs and set(signs) <= {flip * each > 0 for each in total if abs(each) > 0.01 * top}


def test_the_file_of_the_page_has_the_heat(snapshot: Snapshot, document_id: str) -> None:
    [model] = [each for each in answers.models(snapshot) if each.name == "synth-m"]
    row = snapshot.rows(STORED, [document_id, "synth-m"])[0]
    chosen = Selection(document=document_id, heated=row["generation_id"])
    found = documents.document(snapshot, document_id)
    assert found is not None
    told = json.loads(as_json(document_sheet(snapshot, found, chosen, shaded(snapshot, document_id, model, chosen))))
    assert told["heat"]["of"]["generation_id"] == row["generation_id"]
    factor = nats(row["score"], row["logp"]) / row["score"]
    assert [each["value"] for each in told["heat"]["tokens"]] == pytest.approx(
        [factor * each for each in row["loss_influences"]], rel=1e-5
    )
