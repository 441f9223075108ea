"""What was measured, in sentences, and the curve of removal."""

from dashboard.database.records import Model
from dashboard.drawing.size_look import size_looks
from dashboard.screens.about.curves import is_curve, removal_curve
from dashboard.screens.about.told import told, where_measured
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.screens.about.test_about_charts import figure

LOOKS = size_looks([Model(name, name, "f", 1, 1, "", "", "t") for name in ("small", "large")])

RETRAINED = [
    figure("ekfac", 0.79),
    figure("ekfac", 0.25, "lds_without_self"),
    figure("ekfac_checkpoints", 0.83),
    figure("ekfac_checkpoints", 0.44, "lds_without_self"),
    figure("bm25", 0.38),
    figure("bm25", 0.16, "lds_without_self"),
    figure("another seed", 0.99),
    figure("another seed", 0.99, "lds_without_self"),
    figure("ceiling", 0.95),
    figure("ceiling", 0.79, "lds_without_self"),
    figure("ekfac, embedding only", 0.9),
    figure("ekfac, embedding only", 0.9, "lds_without_self"),
]


def test_the_best_that_a_build_stores_beside_what_could_be_reached():
    [(question, answer)] = told(RETRAINED)
    assert question == "Trained again, small"
    assert "EK-FAC, mean over checkpoints" in answer
    assert "0.83 (1: the same order, 0: chance), and to 0.44" in answer
    assert "more than 0.95 and 0.79" in answer
    assert "BM25 0.38 and 0.16" in answer
    assert "0.9 " not in answer
    assert "0.99" not in answer


def test_each_model_for_itself_and_as_far_as_it_was_measured():
    found = dict(
        told(
            [
                figure("ekfac", 0.92, "mrr"),
                figure("bm25", 0.99, "mrr"),
                figure("ekfac", 0.85, "mrr", model="large"),
                figure("ekfac_checkpoints / grad_norm", 0.97, "mrr", model="large"),
                figure("ekfac", 1.0, "planted@1"),
                figure("ekfac", 0.5),  # without the figure that decides
            ]
        )
    )
    assert set(found) == {
        "Where an answer stands, small",
        "Where an answer stands, large",
        "Facts invented for a training of their own, small",
    }
    assert "is 0.92" in found["Where an answer stands, small"]
    assert "in common 0.99." in found["Where an answer stands, small"]
    assert "is 0.85" in found["Where an answer stands, large"]
    assert "100.0 %" in found["Facts invented for a training of their own, small"]
    assert told([]) == []


def test_day_and_command_of_what_was_measured_elsewhere():
    elsewhere = {"Measured": "2026-11-26", "Command": "whence evaluate demo.toml --full"}
    rows = [figure("ekfac", 0.5) | elsewhere, figure("bm25", 0.5) | elsewhere, figure("tracin", 0.2)]
    [line] = where_measured(rows)
    assert line.startswith("Measured on 26 November 2026 by “whence evaluate demo.toml --full”")
    assert where_measured([figure("ekfac", 0.5) | {"Measured": "soon", "Command": ""}])[0].startswith(
        "Measured on soon"
    )
    assert where_measured([figure("ekfac", 0.5)]) == []


def test_a_line_for_each_method_through_what_was_lost():
    rows = [
        figure("bm25", 4.5, "drop@1"),
        figure("bm25", 9.8, "drop@20", half=None),
        figure("random", 0.5, "drop@1"),
        figure("random", 0.4, "drop@5", model="large"),
        figure("bm25", 0.4, "drop@many"),
    ]
    assert is_curve(rows)
    chart = removal_curve(rows[::-1], LOOKS)
    words, random, large = sorted(chart.figure.data, key=lambda each: each.name)
    assert (words.name, list(words.x), list(words.y)) == ("BM25, small", [1, 20], [4.5, 9.8])
    assert [round(each, 9) for each in words.error_y.array] == [0.2, 0.0]
    assert [round(each, 9) for each in words.error_y.arrayminus] == [0.1, 0.0]
    assert (random.name, large.name) == ("random order, large", "random order, small")
    assert words.line.dash != random.line.dash
    assert len(chart.rows) == 4
    assert "BM25, small 4.50 without 1, 9.80 without 20" in chart.words


def test_one_number_of_documents_is_no_curve():
    assert not is_curve(
        [figure("bm25", 4.5, "drop@20"), figure("random", 4.5, "drop@20"), figure("ekfac", 0.4, "drop@0")]
    )


def test_names_from_a_database_stay_text():
    for name in HOSTILE:
        chart = removal_curve([figure(name, 1.0, "drop@1", model=name), figure(name, 2.0, "drop@5", model=name)], LOOKS)
        assert "<script" not in chart.figure.data[0].name
