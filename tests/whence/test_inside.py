"""Heads and neurons from Python are what the database holds, asked in the plainest SQL."""

from pathlib import Path

import numpy as np
import pytest

from attribution.errors import BadInput
from tests.whence.test_runs import sql
from whence.answer import Answer
from whence.runs import Runs


@pytest.fixture
def answer(runs: Runs) -> Answer:
    """Of a model of several blocks."""
    return runs.answer(runs.answers(model="synth-m").generation_id.iloc[0])


def test_components_of_a_span_are_sums_over_its_tokens(answer: Answer, folder: Path) -> None:
    rows = sql(
        folder,
        """SELECT direct_heads, total_heads, neurons, total_neurons FROM component_effect
           WHERE generation_id = ? AND position <= 1 ORDER BY position""",
        answer.generation_id,
    )
    found = answer.components((0, 1)).set_index("component")
    heads = found[(found.kind == "head")]
    assert list(zip(heads.depth, heads.number, strict=True)) == sorted(zip(heads.depth, heads.number, strict=True))
    np.testing.assert_allclose(heads.direct, np.sum([row[0] for row in rows], axis=0), rtol=1e-6)
    np.testing.assert_allclose(heads.total, np.sum([row[1] for row in rows], axis=0), rtol=1e-6)
    [(width,)] = sql(folder, "SELECT n_neurons FROM component_model LIMIT 1")
    kept: dict[int, float] = {}
    for _, _, neurons, total in rows:
        for place, effect in zip(neurons, total, strict=True):
            kept[place] = kept.get(place, 0.0) + effect
    for place, effect in kept.items():
        assert found.total[f"neuron:{place // width}.{place % width}"] == pytest.approx(effect, rel=1e-5)


def test_documents_are_ordered_by_what_passes_through_a_head(answer: Answer, folder: Path) -> None:
    [(n_heads,)] = sql(folder, "SELECT n_heads FROM component_model LIMIT 1")
    rows = sql(
        folder,
        """SELECT document_id, head_scores[?] AS score FROM component_taught JOIN run USING (run_id)
           WHERE method = 'ekfac' AND generation_id = ? AND position = 0 ORDER BY abs(score) DESC, document_id""",
        n_heads + 2,
        answer.generation_id,
    )
    found = answer.documents_through("head:1.1", 0)
    assert list(found.document_id) == [document for document, _ in rows] != []
    np.testing.assert_allclose(found.influence, [score for _, score in rows], rtol=1e-6)
    through = answer.components(0).set_index("component").taught["head:1.1"]
    assert through == pytest.approx(sum(abs(score) for _, score in rows), rel=1e-6)


def test_attention_and_lens_are_as_they_are_stored(answer: Answer, folder: Path) -> None:
    [(weights,)] = sql(
        folder,
        "SELECT weights FROM component_attention WHERE generation_id = ? AND position = 1 AND depth = 1 AND head = 1",
        answer.generation_id,
    )
    found = answer.attention("head:1.1", 1)
    np.testing.assert_allclose(found.weight, weights, rtol=1e-6)
    assert list(found.text) == [*answer.prompt_tokens.text, answer.tokens.text[0]]
    rows = sql(
        folder,
        "SELECT position, depth, logp, rank, top_text, top_logp FROM lens WHERE generation_id = ? ORDER BY ALL",
        answer.generation_id,
    )
    assert list(answer.lens().itertuples(index=False, name=None)) == rows


@pytest.mark.parametrize("name", ["head:99.0", "head:0.99", "neuron:0.999", "bias:0.0", "head 0.1", "", "head:-1.0"])
def test_a_component_that_is_not_there_is_one_line(answer: Answer, name: str) -> None:
    with pytest.raises(BadInput, match="expected head:0.0 to head:") as caught:
        answer.documents_through(name, 0)
    assert "\n" not in str(caught.value)


def test_a_neuron_attends_to_nothing(answer: Answer) -> None:
    with pytest.raises(BadInput, match="whose attention is kept"):
        answer.attention("neuron:0.0", 0)
