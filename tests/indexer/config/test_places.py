"""Paths of models beside a configuration: found, mistyped, or of the hub; an adapter and what it stands on."""

import json

import pytest

from attribution.errors import BadInput
from indexer.config.config import read_config

FRAME = """
[corpus]
files = ["c.jsonl"]
[prompts]
file = "p.jsonl"
[output]
folder = "b"
"""


def models(folder, *tables):
    for name in ("base", "other"):
        (folder / "models" / name).mkdir(parents=True, exist_ok=True)
        (folder / "models" / name / "config.json").write_text("{}")
    path = folder / "t.toml"
    path.write_text(FRAME + "".join(f"[[model]]\n{table}\n" for table in tables))
    return read_config(path).model


def adapter(folder, base):
    (folder / "adapter").mkdir()
    (folder / "adapter/adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "lora_alpha": 8, "base_model_name_or_path": base})
    )
    (folder / "adapter/adapter_model.safetensors").touch()


BASE = 'name = "b"\nfamily = "f"\npath = "models/base"'
TUNED = 'name = "t"\nfamily = "f"\npath = "adapter"\nstage = "finetuned"\nfiles = ["t.jsonl"]'


@pytest.mark.parametrize("path", ["models/bsae", "models/typo", "models/base.gguf", "models/base/x"])
def test_input_40_a_mistyped_folder_is_not_taken_for_a_hub_id(tmp_path, path):
    with pytest.raises(BadInput, match="fix path") as caught:
        models(tmp_path, f'name = "m"\nfamily = "f"\npath = "{path}"')
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["", "/"])
@pytest.mark.parametrize("more", ["", "\n[model.recipe]\nhidden = 8"])
def test_a_model_that_lies_nowhere_is_refused(tmp_path, path, more):
    with pytest.raises(BadInput, match=f"expected a path for m, found '{path}'"):
        models(tmp_path, f'name = "m"\nfamily = "f"\npath = "{path}"{more}')
    with pytest.raises(BadInput, match=f"expected a path of a checkpoint for b, found '{path}'"):
        models(tmp_path, f'{BASE}\ncheckpoints = ["{path}"]')


def test_input_40_the_nearest_is_named(tmp_path):
    with pytest.raises(BadInput, match="there is base"):
        models(tmp_path, 'name = "m"\nfamily = "f"\npath = "models/bsae"')


def test_a_hub_id_stays_one(tmp_path):
    [model] = models(tmp_path, 'name = "m"\nfamily = "f"\npath = "owner/model"')
    assert model.path == "owner/model"


def test_input_25_revisions_and_checkpoints(tmp_path):
    table = 'name = "m"\nfamily = "f"\npath = "owner/model"\nrevision = "step9"\n'
    [model] = models(
        tmp_path, table + 'checkpoints = ["@step3", "owner/else@step5", "local/step7"]\ntokenizer = "models/base"'
    )
    assert model.path == "owner/model@step9"
    assert model.checkpoints == ("owner/model@step3", "owner/else@step5", str(tmp_path / "local/step7"))
    assert model.tokenizer == str(tmp_path / "models/base")


def test_input_25_a_folder_has_no_revision(tmp_path):
    with pytest.raises(BadInput, match="expected a revision of a hub id only"):
        models(tmp_path, BASE + '\nrevision = "x"')


@pytest.mark.parametrize("named", ["../models/base", "{folder}/models/base"])
def test_input_19_the_parent_of_an_adapter_is_its_base(tmp_path, named):
    adapter(tmp_path, named.replace("{folder}", str(tmp_path)))
    _, _, tuned = models(tmp_path, 'name = "o"\nfamily = "f"\npath = "models/other"', BASE, TUNED)
    assert (tuned.parent, tuned.base) == ("b", str(tmp_path / "models/base"))


@pytest.mark.parametrize("stage", ["finetuned", "pretrained"])
def test_input_19_a_base_may_be_named_from_beside_the_configuration(tmp_path, monkeypatch, stage):
    monkeypatch.chdir("/")  # wherever the command is given
    adapter(tmp_path, "models/base")
    alone = TUNED if stage == "finetuned" else TUNED.replace('stage = "finetuned"\nfiles = ["t.jsonl"]', "")
    [tuned] = models(tmp_path, alone)
    assert (tuned.parent, tuned.base) == ("", str(tmp_path / "models/base"))
    _, on_parent = models(tmp_path, BASE, TUNED)
    assert (on_parent.parent, on_parent.base) == ("b", str(tmp_path / "models/base"))


def test_input_19_a_base_of_the_hub_stays_one(tmp_path):
    adapter(tmp_path, "owner/model")
    [tuned] = models(tmp_path, TUNED)
    assert (tuned.parent, tuned.base) == ("", "")


def test_input_19_a_parent_is_the_base_that_an_adapter_does_not_know(tmp_path):
    adapter(tmp_path, "someone/elses-folder")
    _, tuned = models(tmp_path, BASE, TUNED + '\nparent = "b"')
    assert tuned.base == str(tmp_path / "models/base")


def test_input_19_a_base_is_for_an_adapter(tmp_path):
    with pytest.raises(BadInput, match="expected a base for an adapter only, found one for b"):
        models(tmp_path, BASE + '\nbase = "models/other"')
