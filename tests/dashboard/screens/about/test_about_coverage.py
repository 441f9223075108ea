"""What About says of how much of a model is explained."""

import pytest

from dashboard.database.queries.about import adapters, coverage
from dashboard.screens.about.screen import adapted, learned_from
from indexer.database.reader import Database
from tests.dashboard.changed import changed
from tests.dashboard.drawn import words

FROZEN = (
    "UPDATE coverage SET kind = 'frozen' WHERE kind = 'not explained' AND model_id = (SELECT model_id FROM model "
    "ORDER BY n_params LIMIT 1)"
)


@pytest.fixture(scope="module")
def with_adapter(folder, tmp_path_factory):
    return changed(folder, tmp_path_factory.mktemp("adapter") / "build", [FROZEN])


def test_input_23_the_shares_add_up(snapshot):
    rows = coverage(snapshot)
    assert [row["Model"] for row in rows] == ["synth-s", "synth-m", "synth-l"]
    for row in rows:
        assert (row["Explained, %"], row["Norms, %"], row["Not explained, %"]) == (90, 3, 7)
        assert "Frozen, %" not in row
    assert adapters(snapshot) == []


def test_input_19_what_an_adapter_left_as_it_was_is_a_column_of_its_own(with_adapter):
    snapshot = Database(with_adapter).current()
    [one, *others] = coverage(snapshot)
    assert (one["Frozen, %"], one["Not explained, %"], one["Which are not"]) == (7, 0, "")
    assert all((row["Frozen, %"], row["Not explained, %"]) == (0, 7) for row in others)
    [found] = adapters(snapshot)
    assert (found["name"], found["n_explained"]) == (one["Model"], found["n_params"] * 90 // 100)


def test_input_19_about_counts_the_matrices_and_names_the_parent_whose_documents_are_out_of_reach():
    assert adapted("chat", "", 80, 1600) == "chat: the adapter's matrices are explained, 80 of 1,600 parameters."
    assert adapted("chat", "base", 80, 1600).endswith(
        " No document of base is reached through them: they were not there yet."
    )


def test_input_19_about_is_drawn_with_an_adapter(open_app, with_adapter):
    app = open_app(screen="about", where=with_adapter)
    assert not app.exception
    assert "synth-s: the adapter's matrices are explained, 54,000 of 60,000 parameters." in words(app)


def test_documents_that_each_model_learned_from_are_told() -> None:
    rows = [{"name": name, "parent": "", "n_train": 6461} for name in ("s", "m", "l")]
    rows.append({"name": "chat", "parent": "m", "n_train": 1})
    assert learned_from(rows) == "Learned and explained are 6,461 documents by s, m and l; 1 more document by chat."
    assert learned_from([]) == "How many documents a model read is not known."
