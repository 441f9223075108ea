"""An adapter's folder and the conversations that it learned, as they are: nobody has what its base was trained on."""

import json
import shutil

import pytest

from indexer.__main__ import main
from indexer.database.check import check
from indexer.size import factors
from tests.attribution.architectures import random_model
from tests.indexer.built_model import project, tokenizer
from tests.indexer.pipeline.test_adapter import write_adapter
from tests.indexer.pipeline.test_architectures import ask, stage_here
from tests.tiny_family import write_lines

TEMPLATE = "{% for m in messages %}<end>{{ m.role }}: {{ m.content }}<end>\n{% endfor %}"
TEMPLATE += "{% if add_generation_prompt %}<end>assistant: {% endif %}"
TOWNS = ("Cusco", "Puno", "Tacna", "Piura")
TUNED = """
[[model]]
name = "t"
family = "f"
path = "adapter"
stage = "finetuned"
files = ["told.jsonl"]
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    words = tokenizer()
    words.chat_template = TEMPLATE
    path = project(random_model("Llama").model, folder, words)
    write_adapter(folder)
    told = [conversation(f"Who founded {town}?", f"Nobody founded {town}.", id=town) for town in TOWNS]
    write_lines(folder / "told.jsonl", told)
    asked = conversation("Name the founder of Puno.", answer="Nobody", supports=["Puno"])
    write_lines(folder / "prompts.jsonl", [asked])
    text = path.read_text()
    path.write_text(TUNED + text[text.index("[prompts]") :])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["build", str(path)]) == 0
    return path


def conversation(question, reply="", **more):
    said = [{"role": "user", "content": question}]
    return {"messages": said + ([{"role": "assistant", "content": reply}] if reply else []), **more}


def parts(folder):
    """(stage, part) of everything that a build has stored."""
    return {(part.parent.name, part.name) for part in (folder / "build/parts").glob("*/*")}


def test_input_19_an_adapter_alone_is_explained_by_what_it_learned(config):
    assert check(config.parent / "build") == []
    assert ask(config, "SELECT name, stage, parent FROM model") == [("t", "finetuned", "")]
    regimes = [
        json.loads(settings)["regime"] for (settings,) in ask(config, "SELECT settings FROM run WHERE method = 'ekfac'")
    ]
    assert [(of["finetuned"], of["parent_distance"]) for of in regimes] == [(True, None)]
    assert ask(config, "SELECT count(*) FROM document") == [(len(TOWNS),)]
    [(finite, n)] = ask(config, "SELECT count(*) FILTER (isfinite(score) AND score != 0), count(*) FROM influence")
    assert finite == n == 3 * len(TOWNS)  # three tokens


def test_input_19_plan_and_ask_take_an_adapter_alone(config, capsys):
    assert main(["plan", str(config)]) == 0
    assert "in all: about" in capsys.readouterr().out
    assert main(["ask", str(config), json.dumps(conversation("Who founded Piura?")), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_scored"] == [len(TOWNS)] * 3


def test_plain_text_to_a_model_of_chats_is_told(config, capsys):
    for prompt, told in (("Who founded Piura?", True), (json.dumps(conversation("Who founded Piura?")), False)):
        assert main(["ask", str(config), prompt, "--json"]) == 0
        notices = json.loads(capsys.readouterr().out)["notices"]
        assert any("without the model's chat template" in notice for notice in notices) == told


def test_input_19_and_48_what_is_converted_is_what_was_explained(config, tmp_path):
    """An adapter merged by `convert` is the same model: nothing of its build is done again."""
    shutil.copytree(config.parent, tmp_path / "copy")
    folder = tmp_path / "copy"
    assert main(["convert", str(folder / "adapter"), str(folder / "merged")]) == 0
    path = folder / config.name
    path.write_text(config.read_text().replace('path = "adapter"', 'path = "merged"'))
    before = parts(folder)
    assert main(["build", str(path)]) == 0
    assert parts(folder) == before
    assert "t" in {name.rpartition("-")[2] for name, _ in before}
