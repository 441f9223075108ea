"""One table of what the figures are, for every name that an evaluation stores."""

import pytest

from indexer.evaluate.statistics.metrics import METRICS, in_order, metric


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *(
            ("lds", "LDS"),
            ("recall@1", "Recall@1"),
            ("planted@3", "Invented facts, first 3"),
            ("planted_mrr", "planted_mrr"),
        ),
        *(("drop@20", "Lost without its 20"), ("flips@2", "Changed without its 2"), ("index@50", "index@50")),
        *(("stability, bfloat16", "stability, bfloat16"), ("index, all sources", "index, all sources")),
    ],
)
def test_a_stored_name_is_read(name, label):
    of = metric(name)
    assert of is not None and of.label == label
    assert "{}" not in of.label + of.meaning
    assert (name.partition("@")[2] or "") in of.label + of.meaning


@pytest.mark.parametrize("name", ["", "lds of old", "ekfac", "@20", ", lds"])
def test_another_name_is_none(name):
    assert metric(name) is None


def test_names_stand_in_the_order_of_the_table():
    assert in_order(["sanity", "recall@10", "odd", "recall@1", "lds"]) == ["lds", "recall@1", "recall@10", "sanity"]
    assert in_order(METRICS) == list(METRICS)


def test_one_is_said_as_one_and_two_come_before_ten():
    for name, said in (("drop@1", "when the document blamed most is left out"), ("planted@1", "is the first")):
        of = metric(name)
        assert of is not None and said in of.meaning and " 1 " not in of.meaning
    assert in_order(["drop@50", "drop@5", "drop@20", "drop@1"]) == ["drop@1", "drop@5", "drop@20", "drop@50"]


def test_nothing_is_explained_twice():
    assert len({of.meaning for of in METRICS.values()}) == len(METRICS)
