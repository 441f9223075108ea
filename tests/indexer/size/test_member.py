"""What the stages of a size are known by."""

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
