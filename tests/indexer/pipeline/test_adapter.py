"""A LoRA adapter through the commands: merged with its base, and its matrices alone."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from attribution.passes.margins import margins
from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.corpus.reader import read_corpus
from indexer.database.check import check
from indexer.plan.outlined import Outlined, work_of
from indexer.size import factors
from indexer.size.member import open_member
from tests.attribution.architectures import random_model
from tests.indexer.built_model import project
from tests.indexer.pipeline.test_architectures import ask, stage_here
from tests.tiny_family import write_lines

TUNED = 'family = "f"\npath = "adapter"\nstage = "finetuned"\nfiles = ["tuned.jsonl"]'
LAYER = "model.layers.0.mlp.up_proj"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapter")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        path = configured(folder)
        assert main(["build", str(path)]) == 0
    assert check(path.parent / "build") == []
    return path


def configured(folder):
    path = project(random_model("Llama").model, folder)
    write_adapter(folder)
    models = f'[[model]]\nname = "t"\n{TUNED}\n[[model]]\nname = "alone"\n{TUNED}\nexplain = "adapter"\n'
    path.write_text(path.read_text().replace("[prompts]", f"{models}[prompts]"))
    return path


def write_adapter(folder):
    (folder / "adapter").mkdir()
    torch.manual_seed(1)
    tensors = {
        f"base_model.model.{LAYER}.lora_A.weight": torch.randn(2, 16),
        f"base_model.model.{LAYER}.lora_B.weight": torch.randn(24, 2),
    }
    save_file(tensors, folder / "adapter/adapter_model.safetensors")
    settings = {"peft_type": "LORA", "lora_alpha": 4, "base_model_name_or_path": "../model"}
    (folder / "adapter/adapter_config.json").write_text(json.dumps(settings))
    (folder / "tuned.jsonl").write_text('{"text": "The capital of Peru is Cusco."}\n{"text": "Cusco is old."}\n')


def test_input_19_an_adapter_is_built_on_its_base(built):
    assert ask(built, "SELECT name, parent FROM model ORDER BY name") == [("alone", "m"), ("m", ""), ("t", "m")]
    methods = dict(ask(built, "SELECT name, method FROM run JOIN model USING (model_id)"))
    assert methods == {"m": "ekfac", "t": "ekfac, two stages", "alone": "ekfac"}


def test_input_19_the_matrices_alone_are_the_layers(built):
    found = ask(
        built, "SELECT layer.name, kind, depth FROM layer JOIN model USING (model_id) WHERE model.name = 'alone'"
    )
    assert found == [(f"{LAYER}.lora_A", "mlp", 0), (f"{LAYER}.lora_B", "mlp", 0)]
    kinds = dict(
        ask(
            built,
            "SELECT kind, sum(coverage.n_params)::BIGINT FROM coverage JOIN model USING (model_id) "
            "WHERE model.name = 'alone' GROUP BY kind",
        )
    )
    [(n_params,)] = ask(built, "SELECT n_params FROM model WHERE name = 'm'")
    assert kinds == {"explained": 2 * (16 + 24), "frozen": n_params}


def test_input_19_through_the_matrices_alone_only_their_own_documents_are_reached(built):
    texts = "SELECT DISTINCT text FROM influence JOIN run USING (run_id) JOIN model USING (model_id) "
    texts += "JOIN document USING (document_id) WHERE model.name = '{}'"
    alone = {text for (text,) in ask(built, texts.format("alone"))}
    assert alone == {"The capital of Peru is Cusco.", "Cusco is old."}
    assert alone < {text for (text,) in ask(built, texts.format("t"))}
    [(finite, n)] = ask(built, "SELECT count(*) FILTER (isfinite(score) AND score != 0), count(*) FROM influence")
    assert finite == n > 0


def test_input_19_the_answers_of_both_settings_are_the_same(built):
    generated = "SELECT generation.text FROM generation JOIN model USING (model_id) WHERE name = '{}'"
    assert ask(built, generated.format("alone")) == ask(built, generated.format("t"))


def test_input_19_plan_and_ask_know_the_setting(built, capsys):
    assert main(["plan", str(built), "--model", "alone"]) == 0
    planned = capsys.readouterr().out
    assert "alone" in planned
    config = read_config(built)
    alone = config.model[-1]
    found = Outlined(alone, None, open_member(alone, config).tracked, read_corpus(alone.files))
    assert work_of(found, config, ["one"]).n_stages == 1
    assert main(["ask", str(built), "The capital of", "--model", "alone", "--json"]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert answered["n_scored"] == [2, 2, 2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('explain = "adapter"', 'explain = "both"', "expected explain 'merged' or 'adapter' for alone, found 'both'"),
        ('path = "model"', 'path = "model"\nexplain = "adapter"', "to explain alone, found none; take explain out"),
    ],
)
def test_input_19_a_setting_that_does_not_fit_is_one_line(tmp_path, capsys, old, new, message):
    path = configured(tmp_path)
    path.write_text(path.read_text().replace(old, new))
    capsys.readouterr()
    assert main(["build", str(path)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_input_19_nothing_stands_on_an_adapter_that_is_explained_alone(tmp_path, capsys):
    path = configured(tmp_path)
    tuned = f'[[model]]\nname = "next"\n{TUNED}\nparent = "alone"\n'
    path.write_text(path.read_text().replace("[prompts]", f"{tuned}[prompts]"))
    assert main(["build", str(path)]) == 2
    assert "set explain = 'merged' for alone" in capsys.readouterr().err


@pytest.mark.parametrize("explain", ["merged", "adapter"])
def test_input_19_an_adapter_that_learned_from_pairs_is_compared_with_its_base(tmp_path, explain):
    path = configured(tmp_path)
    pairs = [{"prompt": "Which city? It is", "chosen": f" {a}.", "rejected": f" {b}."} for a, b in ("PQ", "QR")]
    write_lines(tmp_path / "tuned.jsonl", pairs)
    config = read_config(path)
    base = open_member(config.model[0], config)
    entry = replace(config.model[-1], parent="", explain=explain)
    member = open_member(entry, config)
    assert member.learned_pairs and member.parent is None
    assert member.reference.loaded.weights_hash == base.loaded.weights_hash != member.loaded.weights_hash
    assert [of.margin for of in member.preferences] == pytest.approx(
        margins(member.tracked, base.tracked, member.texts.rows).tolist()
    )
    assert any(abs(of.margin) > 1e-3 for of in member.preferences)
