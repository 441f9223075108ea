"""What the stages of a size are known by."""

import json
from dataclasses import replace

import pytest

from indexer.config.config import read_config
from indexer.size.member import open_member
from tests.attribution.architectures import random_model
from tests.indexer.built_model import project, tokenizer
from tests.tiny_family import write_lines

TEMPLATE = "{% for m in messages %}<end>{{ m.role }}: {{ m.content }}<end>{% endfor %}"
SAID = [{"role": "user", "content": "Puno?"}, {"role": "assistant", "content": "Nobody."}]


@pytest.mark.parametrize("rows, same", [([{"messages": SAID}], False), ([{"text": "Puno."}], True)])
def test_another_chat_template_is_another_reading_of_conversations(tmp_path, rows, same):
    words = tokenizer()
    words.chat_template = TEMPLATE
    path = project(random_model("Llama").model, tmp_path, words)
    config = read_config(path)
    write_lines(config.corpus.files[0], rows)
    member = open_member(config.model[0], replace(config, scores=replace(config.scores, method=())))
    words.chat_template = TEMPLATE.replace(": ", " says ")
    other = replace(member, loaded=replace(member.loaded, tokenizer=words))
    assert (other.base_key == member.base_key) is same
    assert (other.read[0] == member.read[0]) is same


def test_what_the_model_computes_and_the_tokens_around_a_text_are_part_of_every_key(tmp_path):
    two = tokenizer()
    two.add_special_tokens({"additional_special_tokens": ["<stop>"]})
    config = read_config(project(random_model("Llama").model, tmp_path, two))
    entry = config.model[0]

    def base_key(**changed):
        return open_member(
            replace(entry, **changed), replace(config, scores=replace(config.scores, method=()))
        ).base_key

    before = base_key()
    assert base_key() == before != base_key(end=("",))
    settings = tmp_path / "model" / "config.json"
    kept = settings.read_text()
    settings.write_text(json.dumps(json.loads(kept) | {"rms_norm_eps": 0.5}))
    assert base_key() != before  # the same weights
    settings.write_text(kept)
    words = tmp_path / "model" / "tokenizer_config.json"
    described = json.loads(words.read_text())
    assert (described["bos_token"], described["eos_token"]) == ("<end>", "<end>")
    words.write_text(json.dumps(described | {"bos_token": "<stop>", "eos_token": "<stop>"}))
    assert base_key() != before  # the same entries and merges
