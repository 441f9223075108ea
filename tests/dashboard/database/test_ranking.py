from dataclasses import replace

import numpy as np
import pytest

from dashboard.database.layer_groups import group_scores, layer_groups
from dashboard.database.ranking import among_random, layer_total, rank_documents, take_side
from dashboard.database.records import KeptScores, Layer


def scores(rows: list[tuple[int, str, list[float]]]) -> KeptScores:
    """rows: (position, document, layer scores); norms depend on the document only."""
    ids = [document for _, document, _ in rows]
    layers = np.array([each for *_, each in rows], dtype=np.float64).reshape(len(rows), len(rows[0][2]) if rows else 0)
    norm = np.array([ord(document) - 96.0 for document in ids])
    return KeptScores(
        position=np.array([position for position, *_ in rows]),
        rank=np.arange(1, len(rows) + 1),
        document_id=ids,
        score=layers.sum(1),
        self_influence=norm**2,
        grad_norm=norm,
        solve_norm=norm * 2,
        query_self_influence=np.full(len(rows), 4.0),
        layer_scores=layers,
    )


SPAN = scores([(0, "a", [1.0, 2.0]), (0, "b", [-4.0, 0.5]), (1, "a", [0.5, 0.5]), (1, "c", [9.0, -3.0])])


def test_a_span_sums_its_tokens_and_counts_the_known_ones() -> None:
    ranked = rank_documents(SPAN)
    assert [(each.document_id, each.score, each.known) for each in ranked] == [("c", 6, 1), ("a", 4, 2), ("b", -3.5, 1)]
    assert all(each.layers.sum() == pytest.approx(each.score) for each in ranked)
    assert ranked[1].best_rank == 1


def test_ranking_by_layers_alone() -> None:
    ranked = rank_documents(SPAN, only_layers=[1])
    assert [(each.document_id, each.value) for each in ranked] == [("a", 2.5), ("b", 0.5), ("c", -3.0)]
    assert ranked[0].score == 4


@pytest.mark.parametrize(
    ("name", "divisor"),
    [
        *(("none", 1), ("grad_norm", 3), ("grad_norm_squared", 9), ("relatif_l", 3), ("relatif_theta", 6)),
        ("cosine", 3 * 2),
    ],
)
def test_normalisers(name: str, divisor: float) -> None:
    one = scores([(1, "a", [0.5, 0.5]), (1, "c", [9.0, -3.0])])
    ranked = {each.document_id: each for each in rank_documents(one, name)}
    assert ranked["c"].value == pytest.approx(6 / divisor)
    assert ranked["c"].score == 6


def test_the_cosine_takes_the_query_as_the_stage_of_each_document_sees_it() -> None:
    one = scores([(0, "b", [6.0]), (0, "c", [-6.0])])
    staged = replace(one, query_self_influence=np.array([9.0, 4.0]))
    assert [(each.document_id, each.value) for each in rank_documents(staged, "cosine")] == [("b", 1.0), ("c", -1.0)]
    assert rank_documents(replace(one, query_self_influence=np.full(2, np.nan)), "cosine") == []


def test_the_cosine_of_a_span_is_unknown() -> None:
    assert rank_documents(SPAN, "cosine") == []


def test_a_missing_or_zero_norm_leaves_the_document_out() -> None:
    three = scores([(0, document, [1.0]) for document in "abc"])
    norms = replace(three, grad_norm=np.array([2.0, 0.0, np.nan]))
    assert [(each.document_id, each.value) for each in rank_documents(norms, "grad_norm")] == [("a", 0.5)]


def test_sides() -> None:
    ranked = rank_documents(SPAN)
    assert [each.document_id for each in take_side(ranked, "towards", 9)] == ["c", "a"]
    assert [each.document_id for each in take_side(ranked, "away", 9)] == ["b"]
    assert [each.document_id for each in take_side(ranked, "both", 2)] == ["c", "a"]
    assert [each.document_id for each in take_side(ranked, "both", 9)] == ["c", "a", "b"]
    stronger = [replace(each, value=-5.0) if each.document_id == "b" else each for each in ranked]
    assert [each.document_id for each in take_side(stronger, "both", 2)] == ["c", "b"]


def test_among_random_documents() -> None:
    null = np.linspace(-1, 1, 100)
    assert among_random(2.0, null) == "stronger than all 100 random documents"
    assert among_random(-2.0, null) == "stronger against it than all 100 random documents"
    assert among_random(0.99, null).startswith("1 of 100")
    assert among_random(2.0, np.array([])) == ""


def test_input_44_a_document_that_was_drawn_is_not_compared_with_itself() -> None:
    null = np.linspace(-1.0, 1.0, 84)
    assert among_random(1.0, null) == "stronger than all 83 random documents"
    assert among_random(-1.0, null) == "stronger against it than all 83 random documents"
    assert among_random(float(null[-2]), null) == "1 of 83 random documents is as strong"


def test_nothing_kept() -> None:
    empty = rank_documents(scores([]))
    assert empty == [] and layer_total(empty).size == 0


def test_layer_groups_add_up() -> None:
    layers = [Layer(i, f"m{i}", kind, depth) for i, (kind, depth) in enumerate(
        [("mlp", 1), ("attention", 0), ("attention", 0), ("mlp", 0), ("attention", 1), ("embedding", 2)]
    )]  # fmt: skip
    groups = layer_groups(layers)
    assert [group.key for group in groups] == ["attention-0", "mlp-0", "attention-1", "mlp-1", "embedding"]
    amounts = np.arange(6.0)
    assert group_scores(groups, amounts).tolist() == [3.0, 3.0, 4.0, 0.0, 5.0]
    assert group_scores(groups, amounts).sum() == amounts.sum()
