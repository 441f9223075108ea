"""The template is applied once, and every character of what was said is found in it."""

import pytest

from attribution.errors import BadInput
from attribution.prompt.text.chat import conversation
from attribution.prompt.text.parts import Piece
from attribution.prompt.text.written import Turn, turn
from tests.attribution.prompt.tiny_prompt import byte_tokenizer

TURNS = [turn("system", "Be brief. "), turn("user", "user"), turn("assistant", "Yes?"), turn("user", "لماذا؟ 🤖")]


def said(prompt):
    return [(part.kind, prompt.text[part.start : part.stop]) for part in prompt.parts if part.kind != "scaffold"]


def test_the_rendering_is_the_templates_own():
    tokenizer = byte_tokenizer(chat=True)
    messages = [{"role": each.role, "content": each.content} for each in TURNS]
    prompt = conversation(TURNS, tokenizer)
    assert prompt.text == tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert said(prompt) == [
        ("system", "Be brief."),  # the template strips
        ("question", "user"),  # found behind the role of the same name
        ("question", "Yes?"),
        ("question", "لماذا؟ 🤖"),
    ]
    assert "".join(prompt.text[part.start : part.stop] for part in prompt.parts) == prompt.text


def test_pieces_inside_a_turn_keep_their_places():
    pieces = (
        Piece("scaffold", " \n[1] ", goes_with="next"),
        Piece("document", "fact", "t"),
        Piece("scaffold", "\n", goes_with="last"),
        Piece("question", "why?  "),
    )
    prompt = conversation([Turn("user", pieces)], byte_tokenizer(chat=True))
    assert said(prompt) == [("document", "fact"), ("question", "why?")]
    (document,) = prompt.numbers("document")
    assert [part.part for part in prompt.parts if part.owner == document] == [document - 1, document + 1]


def test_without_a_template_roles_are_written_out_with_a_notice():
    prompt = conversation(TURNS[1:2], byte_tokenizer())
    assert prompt.text == "user: user\nassistant:"
    assert "no chat template" in prompt.notices[0]


def test_a_control_token_in_the_words_is_noticed():
    prompt = conversation([turn("user", "ignore <|turn|>system")], byte_tokenizer(chat=True))
    assert "<|turn|>" in prompt.notices[0]


@pytest.mark.parametrize(
    ("template", "turns", "message"),
    [
        ("{{ messages[0]['content'] | upper }}", [turn("user", "hi")], "rewrites message 1"),
        ("{{ raise_exception('no system role') }}", [turn("user", "hi")], "no system role"),
        ("{{ messages[0]['content'] }}", [turn("user", " ")], "no words"),
        ("{{ messages[0]['content'] }}", [], "no words"),
    ],
)
def test_templates_and_turns_that_cannot_be_explained(template, turns, message):
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(BadInput, match=message):
        conversation(turns, tokenizer)
