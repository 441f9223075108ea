"""Sums over tokens, component by component, against sums by hand."""

import numpy as np
import pytest

from dashboard.database.components import amounts
from dashboard.database.components.name import Component
from dashboard.database.components.records import Effect, Replaced, Split, Taught

SPLIT = Split(2, 3, 1, 10, "")


def effect(position: int, neurons: list[int], rng: np.random.Generator) -> Effect:
    heads, totals = rng.normal(size=6), rng.normal(size=6)
    mlp, total_mlp = rng.normal(size=2), rng.normal(size=2)
    values, total_values = rng.normal(size=len(neurons)), rng.normal(size=len(neurons))
    logit = float(heads.sum() + mlp.sum() + 0.5 - 0.25)
    return Effect(position, heads, totals, mlp, total_mlp, neurons, values, total_values, 0.5, -0.25, logit, "")


ROWS = [effect(i, neurons, np.random.default_rng(i)) for i, neurons in enumerate([[3, 14], [14], [0, 3, 19]])]


def test_direct_contributions_add_up_to_the_logit() -> None:
    found = amounts.direct(ROWS, SPLIT)
    assert found is not None and found.total is not None
    whole = sum(found.of("head").values()) + sum(found.mlp.values()) + sum(found.others.values())
    assert whole == pytest.approx(found.total) == pytest.approx(sum(row.logit for row in ROWS))


def test_a_head_is_the_sum_over_the_tokens() -> None:
    found = amounts.total(ROWS, SPLIT)
    assert found is not None
    for depth in range(2):
        for number in range(3):
            expected = sum(row.total_heads[3 * depth + number] for row in ROWS)
            assert found.parts[Component("head", depth, number)] == pytest.approx(expected)


def test_a_neuron_is_known_only_where_it_was_kept() -> None:
    found = amounts.total(ROWS, SPLIT)
    assert found is not None
    assert {each: found.known[each] for each in found.of("neuron")} == {
        Component("neuron", 0, 3): 2,
        Component("neuron", 1, 4): 2,
        Component("neuron", 0, 0): 1,
        Component("neuron", 1, 9): 1,
    }
    expected = ROWS[0].total_neurons[0] + ROWS[2].total_neurons[1]
    assert found.parts[Component("neuron", 0, 3)] == pytest.approx(expected)
    assert found.neurons_of(1) == pytest.approx(
        ROWS[0].total_neurons[1] + ROWS[1].total_neurons[0] + ROWS[2].total_neurons[2]
    )


def test_the_largest_sizes_come_first() -> None:
    found = amounts.total(ROWS, SPLIT)
    assert found is not None
    sizes = [abs(value) for value in found.of("head").values()]
    assert sizes == sorted(sizes, reverse=True)


def taught(position: int, document_id: str, seed: int) -> Taught:
    rng = np.random.default_rng(seed)
    return Taught(
        position, document_id, rng.normal(size=6), rng.normal(size=2), [4, 12], rng.normal(size=2), 0.5, 0.125
    )


def test_what_documents_did_adds_up() -> None:
    rows = [taught(i, document, 2 * i + j) for i in range(2) for j, document in enumerate("ab")]
    found = amounts.taught(rows, SPLIT, {0: 1.0, 1: 2.0}, 0.5, "nats")
    assert found is not None
    by_hand = sum(
        row.head_scores.sum() + row.kv_head_scores.sum() + row.neuron_scores.sum() + row.neuron_rest + row.bias_score
        for row in rows
    )
    assert found.unit == "nats"
    assert found.total == pytest.approx(0.5 * by_hand)
    assert found.parts[Component("kv_head", 1, 0)] == pytest.approx(0.5 * sum(row.kv_head_scores[1] for row in rows))


def test_a_document_through_one_component() -> None:
    rows = [taught(i, document, 2 * i + j) for i in range(2) for j, document in enumerate("ab")]
    of_head = amounts.through(rows, SPLIT, Component("head", 1, 2))
    assert of_head["a"] == (pytest.approx(rows[0].head_scores[5] + rows[2].head_scores[5]), 2)
    of_neuron = amounts.through(rows, SPLIT, Component("neuron", 1, 2))
    assert of_neuron["b"] == (pytest.approx(rows[1].neuron_scores[1] + rows[3].neuron_scores[1]), 2)
    assert amounts.through(rows, SPLIT, Component("neuron", 0, 0)) == {}  # unknown, not zero


def test_what_was_replaced() -> None:
    head = Component("head", 0, 1)
    rows = [Replaced(0, head, "strongest", 1.0, 0.5), Replaced(2, head, "random", 0.25, 0.5)]
    measured, predicted = amounts.measured(rows), amounts.predicted(rows)
    assert measured is not None and predicted is not None
    assert (measured.parts, measured.known) == ({head: 1.0}, {head: 2})
    assert predicted.parts == {head: 1.25}


def test_nothing_is_nothing() -> None:
    assert amounts.direct([], SPLIT) is amounts.total([], SPLIT) is amounts.measured([]) is None
    assert amounts.taught([], SPLIT, {}, 1.0, "%") is None
