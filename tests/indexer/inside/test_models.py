"""Other architectures, adapters, builds without influence: rows where there can be some, elsewhere a line why not."""

import pytest

from indexer.__main__ import main
from indexer.database.check import check
from indexer.size import factors
from tests.attribution.architectures import random_model
from tests.indexer.built_model import project
from tests.indexer.pipeline.test_adapter import configured
from tests.indexer.pipeline.test_architectures import ask, built, stage_here

SPLIT = "SELECT n_heads, n_kv_heads, n_neurons, notice FROM component_model"


@pytest.fixture(autouse=True)
def no_process_for_factors(monkeypatch):
    monkeypatch.setattr(factors, "stage", stage_here)


@pytest.mark.parametrize("name", ["GPT-2", "GPT-NeoX", "Qwen 2 and 2.5", "Gemma 2"])
def test_fused_layers_biases_and_norms_behind_attention_are_split(name, tmp_path):
    """That their parts add up is among the invariants that `built` checks."""
    path = built(name, tmp_path)
    [(n_heads, _, n_neurons, notice)] = ask(path, SPLIT)
    assert notice == ""
    [(n_layers,)] = ask(path, "SELECT n_layers FROM model")
    [(heads, neurons)] = ask(
        path, "SELECT DISTINCT len(head_scores), max(len(neurons)) FROM component_taught GROUP BY 1"
    )
    assert heads == n_layers * n_heads
    assert 0 < neurons <= n_layers * n_neurons
    [(n_tokens,)] = ask(path, "SELECT count(*) FROM generation_token")
    assert ask(path, "SELECT count(*) FROM component_effect") == [(n_tokens,)]
    assert ask(path, "SELECT count(*) FROM lens") == [(n_tokens * (n_layers + 1),)]
    [(contexts, tokens)] = ask(
        path, "SELECT (SELECT count(*) FROM component_context), (SELECT count(*) FROM component_tokens)"
    )
    assert contexts > 0
    assert tokens == n_layers * n_neurons


def test_experts_stay_whole_and_the_build_says_why(tmp_path):
    path = built("Mixtral", tmp_path)
    [(*sizes, notice)] = ask(path, SPLIT)
    assert sizes == [None, None, None]
    assert "mixtures of experts" in notice
    for table in (
        "component_taught",
        "component_effect",
        "component_measured",
        "component_context",
        "component_tokens",
    ):
        assert ask(path, f"FROM {table}") == []
    assert ask(path, "SELECT count(*) > 0 FROM lens JOIN influence USING (generation_id)") == [(True,)]


def test_an_adapter_is_split_where_it_is_merged_and_nowhere_else(tmp_path):
    path = configured(tmp_path)
    assert main(["build", str(path)]) == 0
    assert check(path.parent / "build") == []
    found = dict(ask(path, "SELECT name, notice FROM component_model JOIN model USING (model_id)"))
    assert found["m"] == found["t"] == ""
    assert "an adapter's matrices alone" in found["alone"]
    taught = "SELECT DISTINCT name FROM component_taught JOIN run USING (run_id) JOIN model USING (model_id) ORDER BY 1"
    assert ask(path, taught) == [("m",), ("t",)]
    # contexts are those of the last stage of its training
    read = "SELECT DISTINCT text FROM component_context JOIN model USING (model_id) JOIN document USING (document_id)"
    assert {text for (text,) in ask(path, f"{read} WHERE name = 't'")} == {
        "The capital of Peru is Cusco.",
        "Cusco is old.",
    }


def test_without_influence_components_are_compared_with_zero(tmp_path):
    path = project(random_model("Llama").model, tmp_path)
    path.write_text(path.read_text().replace('method = ["ekfac"]', "method = []"))
    assert main(["build", str(path)]) == 0
    assert check(path.parent / "build") == []
    [(n_tokens,)] = ask(path, "SELECT count(*) FROM generation_token")
    assert ask(path, "SELECT count(*) FROM component_effect") == [(n_tokens,)]
    assert ask(path, "SELECT count(*) > 0 FROM component_measured") == [(True,)]
    assert ask(path, "FROM component_taught") == ask(path, "FROM component_context") == []


def test_layers_that_are_not_all_explained_stay_whole(tmp_path):
    path = project(random_model("Llama").model, tmp_path)
    path.write_text(path.read_text().replace("[factors]", '[factors]\nlayers = ["*.mlp.*"]'))
    assert main(["build", str(path)]) == 0
    [(_, _, _, notice)] = ask(path, SPLIT)
    assert notice.startswith("not all layers of block 0 are explained")
