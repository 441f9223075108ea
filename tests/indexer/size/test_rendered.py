"""A prompt as a model reads it: its template once, cut to its room, refused in one line where it cannot be read."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tokenizers import normalizers

from attribution.errors import BadInput
from attribution.loading.load import LoadedModel
from attribution.model.sequence import disjoint, encode_prompt
from attribution.prompt.text.parts import token_parts
from indexer.config.config import Prompts
from indexer.corpus.prompt import Message, Prompt
from indexer.size.rendered import as_read, read_ids, rendered
from tests.attribution.prompt.tiny_prompt import byte_tokenizer, chatml_tokenizer, tiny_model

DOCS = [("Peru", "The capital of Peru is Lima."), ("", "لا إله 🤖 אבג")]


def loaded(chat: bool = False) -> LoadedModel:
    return LoadedModel(tiny_model(), byte_tokenizer(chat), "weights", "tokenizer", torch.device("cpu"))


def read(prompt: Prompt, chat: bool = False, most: int = 8, longest: int = 4096) -> Prompt:
    made = rendered(prompt, loaded(chat), Prompts(Path("prompts.jsonl"), max_new_tokens=most, longest=longest))
    assert "".join(made.text[part.start : part.stop] for part in made.parts) == made.text
    return made


def test_plain_text_is_read_as_it_is():
    prompt = Prompt.from_text("The capital of Peru is", foil="x")
    assert read(prompt) == read(prompt, chat=True) == prompt


@pytest.mark.parametrize(
    "prompt",
    [Prompt.from_messages([Message("user", "Hi")]), Prompt.from_question("Which?", DOCS)],
    ids=["chat", "retrieval"],
)
def test_without_a_template_the_text_is_the_canonical_one(prompt):
    made = read(prompt)
    assert (made.text, made.prompt_id, made.parts) == (prompt.text, prompt.prompt_id, prompt.parts)


@pytest.mark.parametrize("foil", [" Rome", "<|end|>", "x", "لا 🤖"])
def test_a_foil_of_several_tokens_or_one_that_ends_the_answer_is_read(foil):
    assert read(Prompt.from_text("Say", foil=foil)).foil == foil
    assert read(Prompt.from_text("Say", completion=" Lima", foil=" Rome", foil_of="Lima")).foil_of == "Lima"


def test_a_foil_that_the_tokenizer_changes_is_refused():
    of = loaded()
    of.tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(BadInput, match="expected a foil that the model's tokenizer keeps, found that ' Rome' becomes"):
        rendered(Prompt.from_text("say", foil=" Rome"), of, Prompts(Path("prompts.jsonl")))


def test_a_template_is_applied_once_and_makes_another_prompt():
    prompt = Prompt.from_messages([Message("system", "Be brief."), Message("user", " Hi ")])
    made = read(prompt, chat=True)
    tokenizer = byte_tokenizer(chat=True)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi "}]
    assert made.text == tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert made.prompt_id != prompt.prompt_id
    assert [made.text[p.start : p.stop] for p in made.parts if p.kind != "scaffold"] == ["Be brief.", "Hi"]
    asked = read(Prompt.from_question("Which?", DOCS), chat=True)
    assert asked.text.count("<|turn|>") == 2 and asked.text.endswith("<|turn|>assistant\n")
    documents = [asked.text[p.start : p.stop] for p in asked.parts if p.kind == "document"]
    assert documents == [text for _, text in DOCS]


def of_qwen() -> LoadedModel:
    return LoadedModel(tiny_model(), chatml_tokenizer(), "weights", "tokenizer", torch.device("cpu"))


def test_input_06_the_prompts_own_variables_go_before_the_configurations():
    asked = Prompt.from_messages([Message("user", "Hi")])
    settings = Prompts(Path("p.jsonl"), template={"enable_thinking": False})
    assert "<think>" in rendered(asked, of_qwen(), settings).text
    assert "<think>" not in rendered(replace(asked, template={"enable_thinking": True}), of_qwen(), settings).text


def test_input_07_the_prompts_own_wording_goes_before_the_configurations():
    settings = Prompts(Path("p.jsonl"), instruction="Short.", doc_prompt="<{ID}>{P};")
    asked = Prompt.from_question("Which?", [("Peru", "Lima")])
    text = rendered(asked, of_qwen(), settings).text
    assert "user\nShort.\n\n<1>Lima;Question: Which?<" in text
    own = Prompt.from_question("Which?", [("Peru", "Lima")], instruction="Long.", doc_prompt="{T}: {P}\n")
    assert "user\nLong.\n\nPeru: Lima\nQuestion: Which?<" in rendered(own, of_qwen(), settings).text
    chat = rendered(Prompt.from_messages([Message("user", "Which?")], [("Peru", "Lima")]), of_qwen(), settings)
    assert "user\nShort.\n\n<1>Lima;Which?<" in chat.text
    assert [chat.text[p.start : p.stop] for p in chat.parts if p.kind == "document"] == ["Lima"]
    assert read_ids(chat, of_qwen()).ids[0] == of_qwen().tokenizer.convert_tokens_to_ids("<|im_start|>")


def test_two_prompts_that_a_model_reads_the_same_are_refused():
    member = SimpleNamespace(loaded=loaded(), config=SimpleNamespace(prompts=Prompts(Path("p"))))
    member.entry = SimpleNamespace(name="m")
    asked = Prompt.from_messages([Message("user", "Hi")])
    with pytest.raises(BadInput, match="m reads the same in prompts 1 and 2: 'user: Hi"):
        as_read(member, [asked, replace(asked, template={"enable_thinking": True})])


def test_right_to_left_text_and_emoji_keep_their_tokens():
    made = read(Prompt.from_question("Which?", DOCS))
    tokenizer = byte_tokenizer()
    encoded = encode_prompt(made.text, tokenizer, 4096)
    of_token = token_parts(made.text, encoded.spans, made.parts)
    assert "".join(made.text[start:stop] for start, stop in disjoint(encoded.spans)) == made.text
    second = [p.part for p in made.parts if p.kind == "document"][1]
    ids = [i for i, part in zip(encoded.ids, of_token, strict=True) if part == second]
    assert tokenizer.decode(ids).strip() == DOCS[1][1]


def test_fifty_documents_and_an_empty_one():
    made = read(Prompt.from_question("Which?", [("", " "), *[(f"t{i}", f"fact {i}") for i in range(50)]]), chat=True)
    assert sum(part.kind == "document" for part in made.parts) == 50
    assert made.notices == ("document 1 is empty and was left out",)


def test_a_hundred_thousand_characters_are_cut_with_a_notice_and_leave_room_for_the_answer():
    prompt = Prompt.from_question("Which?", [("big", "a b " * 25_000), ("small", "fact")])
    made = read(prompt, most=100)
    assert len(encode_prompt(made.text, byte_tokenizer(), 4096)) <= 4096 - 100
    assert made.notices[0].startswith("document 1 (big) cut from 100,000 to ")
    shorter = read(prompt, longest=500)
    assert 490 <= len(encode_prompt(shorter.text, byte_tokenizer(), 4096)) <= 500
    pasted = Prompt.from_question("Which?", [("big", "a b " * 25_000)], completion="x" * 300)
    assert len(encode_prompt(read(pasted).text, byte_tokenizer(), 4096)) <= 4096 - 300


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("prompt", [Prompt.from_text("\u200b"), Prompt.from_messages([Message("user", "\u200b")])])
def test_input_10_a_prompt_that_the_normalizer_empties_is_refused(prompt, chat):
    of = loaded(chat)
    of.tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\u200b", "")
    with pytest.raises(BadInput, match="of which the tokenizer keeps nothing"):
        rendered(prompt, of, Prompts(Path("prompts.jsonl")))


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (Prompt.from_text("long " * 1000), "prompt 'long long.*fewer than 4096 tokens"),
        (Prompt.from_question("long " * 1000, DOCS), "prompt 'long long.*no room for documents or an answer"),
        (Prompt.from_messages([Message("user", "long " * 1000)]), "fewer than 4096 tokens"),
        (Prompt.from_text("Say", completion="a <|turn|> b"), r"prompt 'Say'.*control token <\|turn\|>"),
        (Prompt.from_text("Say", completion=""), "an answer to explain, found an empty one"),
        (Prompt.from_text("Say", foil=""), "expected a foil, found an empty one"),
        (
            Prompt.from_text("Say", foil=" Rome<|end|>"),
            r"prompt 'Say': expected a foil that the prompt can end with, found the control token <\|end\|>",
        ),
        (
            Prompt.from_text("Say", completion=" Lima, Peru", foil=" Rome<|end|>", foil_of="Peru"),
            "prompt 'Say': expected a foil that the prompt can end with",
        ),
        (Prompt.from_text("Say", foil="<|end|>", foil_of="Peru"), "expected a foil that the prompt can end with"),
        (Prompt.from_text("Say", foil="a", foil_of=""), "expected words that the foil stands against, found none"),
        (
            Prompt.from_text("Say", completion=" Peru", foil="a", foil_of="Cuba"),
            "prompt 'Say': expected words of the answer ' Peru' as the span that the foil stands against, found 'Cuba'",
        ),
    ],
)
def test_what_cannot_be_read_is_one_line_with_the_prompts_first_words(prompt, message):
    with pytest.raises(BadInput, match=message) as error:
        read(prompt)
    assert "\n" not in str(error.value)
