"""What Corpus opens on, against loops over the rows: documents by what they carry of words, and the sources' shares."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.queries import answers, documents
from dashboard.screens.corpus.listed import listed
from dashboard.screens.corpus.sheet import corpus_sheet
from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def run_id(snapshot: Snapshot) -> str:
    [row] = snapshot.rows("SELECT run_id FROM run JOIN model USING (model_id) WHERE name = 'synth-l'")  # of the example
    return str(row["run_id"])


@pytest.fixture(scope="module")
def carried(snapshot: Snapshot, run_id: str) -> dict[str, list[tuple[str, float]]]:
    """document_id -> (generation, share of the ten) of every word that it is among the ten of."""
    tens = defaultdict(list)
    for row in snapshot.rows(
        """SELECT generation_id, span, document_id, score FROM span_influence JOIN span USING (generation_id, span)
        WHERE run_id = ? AND kind = 'word' AND rank <= 10 AND score > 0""",
        [run_id],
    ):
        tens[row["generation_id"], row["span"]].append((row["document_id"], row["score"]))
    found = defaultdict(list)
    for (generation_id, _), ten in tens.items():
        for document_id, score in ten:
            found[document_id].append((generation_id, score / sum(each for _, each in ten)))
    return dict(found)


def test_documents_come_by_what_they_carry_of_words(
    snapshot: Snapshot, run_id: str, carried: dict[str, list[tuple[str, float]]]
) -> None:
    found = documents.most_influential(snapshot, run_id, "", "", 0, 1000)
    assert documents.count_influential(snapshot, run_id, "", "") == len(found) == len(carried)
    for each in found:
        rows = carried[each.document_id]
        assert each.weight == pytest.approx(sum(share for _, share in rows), rel=1e-5)
        assert (each.n_top10, each.n_top10_answers) == (len(rows), len({of for of, _ in rows}))
    weights = [each.weight or 0.0 for each in found]
    assert weights == sorted(weights, reverse=True)
    assert documents.most_influential(snapshot, run_id, "", "", 3, 2) == found[3:5]


def test_sources_share_all_that_words_carry(
    snapshot: Snapshot, run_id: str, carried: dict[str, list[tuple[str, float]]]
) -> None:
    source = {row["document_id"]: row["source"] for row in snapshot.rows("SELECT document_id, source FROM document")}
    sums: dict[str, float] = defaultdict(float)
    for document_id, rows in carried.items():
        sums[source[document_id]] += sum(share for _, share in rows)
    found = documents.source_shares(snapshot, run_id)
    assert {each.source: each.share for each in found} == pytest.approx(
        {name: of / sum(sums.values()) for name, of in sums.items()}, rel=1e-4
    )
    assert sum(each.n_documents for each in found) == len(carried)


def test_corpus_opens_on_words_with_true_counts_and_pages(
    open_app: Open, snapshot: Snapshot, run_id: str, carried: dict[str, list[tuple[str, float]]]
) -> None:
    app = open_app(screen="corpus")
    assert not app.exception
    first = documents.most_influential(snapshot, run_id, "", "", 0, 20)
    shown = [data for data in components(app, "document_list") if data["label"] == "Documents"][0]["items"]
    assert [each["id"] for each in shown] == [each.document_id for each in first]
    assert f"{len(carried):,} documents." in words(app)
    bars = next(data for data in components(app, "bar_list") if "share of what the ten" in data["legend"][0]["text"])
    assert [bar["name"] for bar in bars["bars"]] == [each.source for each in documents.source_shares(snapshot, run_id)]
    one = open_app({"source": "WordNet", "page": "1"}, screen="corpus")
    [listed] = [data for data in components(one, "document_list") if data["label"] == "Documents"]
    assert listed["items"] and all("WordNet" in each["where"] for each in listed["items"])


def test_a_database_without_words_says_that_punctuation_counts(open_app: Open, folder: Path, tmp_path: Path) -> None:
    app = open_app(screen="corpus", where=changed(folder, tmp_path / "build", ["DROP TABLE document_words"]))
    assert not app.exception
    assert "so that punctuation counts too" in words(app)
    shown = [data for data in components(app, "document_list") if data["label"] == "Documents"][0]["items"]
    assert "tokens in" in shown[0]["badges"][0]["text"]


def test_the_file_has_the_whole_list_with_its_numbers(
    snapshot: Snapshot, run_id: str, carried: dict[str, list[tuple[str, float]]]
) -> None:
    [model] = [each for each in answers.models(snapshot) if each.name == "synth-l"]
    chosen = Selection(page=2)
    page = listed(snapshot, chosen, model)
    table = corpus_sheet(snapshot, page, model, chosen).table()
    assert len(page.ids) < len(table) == len(carried) and list(table["rank"]) == list(range(1, len(table) + 1))
    for row in table.to_dict("records"):
        rows = carried[row["document_id"]]
        assert row["among_the_ten_best_of_words"] == len(rows) and row["in_answers"] == len({of for of, _ in rows})
        assert row["mean_share_of_the_ten"] == pytest.approx(sum(each for _, each in rows) / len(rows), rel=1e-5)
        assert (row["model"], row["run_id"], row["estimator"]) == ("synth-l", run_id, "EK-FAC")
        assert row["link"] == f"/corpus?document={row['document_id']}" and row["text"]
    titles = Selection(source="none such")
    assert list(corpus_sheet(snapshot, listed(snapshot, titles, model), model, titles).table()) == [
        *("rank", "document_id", "title", "source", "topic", "text", "link")
    ]
