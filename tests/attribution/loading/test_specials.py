"""Which tokens stand around a text, for every way in which tokenizers say it."""

import pytest
from tokenizers import processors

from attribution.errors import BadInput
from attribution.loading.specials import Specials, choose_specials
from attribution.model.sequence import encode_document, encode_prompt
from indexer.training.tokenizer import END, train_tokenizer
from tests.attribution.prompt.tiny_prompt import byte_tokenizer, chatml_tokenizer, sentences_with_spaces
from tests.tiny_family import TEXTS

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital of Peru? 🤖"}]


def test_input_01_a_conversation_reads_as_its_template_writes_it():
    tokenizer = chatml_tokenizer()
    text = tokenizer.apply_chat_template(MESSAGES, tokenize=False, add_generation_prompt=True)
    ids = tokenizer.apply_chat_template(MESSAGES, tokenize=True, add_generation_prompt=True, return_dict=False)
    assert list(encode_prompt(text, tokenizer, 1000, templated=True).ids) == ids
    assert encode_prompt("Hi", tokenizer, 1000).ids == tuple(tokenizer("Hi")["input_ids"])


def test_input_01_a_bos_that_the_template_leaves_out_stays_out_of_conversations_only():
    tokenizer = byte_tokenizer(chat=True)
    text = tokenizer.apply_chat_template(MESSAGES, tokenize=False, add_generation_prompt=True)
    ids = tokenizer.apply_chat_template(MESSAGES, tokenize=True, add_generation_prompt=True, return_dict=False)
    assert list(encode_prompt(text, tokenizer, 1000, templated=True).ids) == ids
    assert encode_prompt("Hi", tokenizer, 1000).ids[0] == tokenizer.bos_token_id


def test_input_01_a_begin_token_only_where_the_model_was_trained_with_one():
    chatml = chatml_tokenizer()
    end = chatml.eos_token_id
    assert choose_specials(chatml) == Specials((), (), end, (end,))
    tokenizer = byte_tokenizer()
    assert choose_specials(tokenizer).begin == (tokenizer.bos_token_id,)  # it puts it there itself
    tokenizer.backend_tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    assert choose_specials(tokenizer).begin == ()  # it has one and does not use it
    family = train_tokenizer(TEXTS, 300)
    assert choose_specials(family) == Specials((0,), (), 0, (0,))  # one token separates the documents
    family.bos_token = None
    assert choose_specials(family).begin == ()
    family.eos_token = None
    assert choose_specials(family) == Specials((), (), None, ())


def test_everything_that_a_tokenizer_puts_before_a_text_is_read():
    tokenizer = chatml_tokenizer()
    names = ["<|im_start|>", "<|im_end|>"]
    before = tokenizer.convert_tokens_to_ids(names)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=" ".join([*names, "$A", names[1]]), special_tokens=list(zip(names, before, strict=True))
    )
    assert choose_specials(tokenizer).begin == tuple(before)
    read = encode_prompt("Hi", tokenizer, 1000)
    assert [*read.ids, before[1]] == tokenizer("Hi")["input_ids"]
    assert read.spans[:3] == ((0, 0), (0, 0), (0, 1))
    assert encode_document("Hi", tokenizer, 1000).ids == tuple(tokenizer("Hi")["input_ids"])
    assert encode_document("<|im_start|><|im_end|>Hi", tokenizer, 1000).ids == tuple(tokenizer("Hi")["input_ids"])


def test_input_01_the_configuration_overrules():
    tokenizer = chatml_tokenizer()
    start, end = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    assert choose_specials(tokenizer, begin="<|im_end|>") == Specials((end,), (end,), end, (end,))
    assert choose_specials(tokenizer, begin="", end=["<|im_start|>", "<|im_end|>"]) == Specials(
        (), (), start, (start, end)
    )
    assert choose_specials(tokenizer, [7, end], end=[""]) == Specials((), (), None, (7, end))
    with pytest.raises(BadInput, match=r"expected a token of the tokenizer for \[\[model\]\] end, found '<eos>'"):
        choose_specials(tokenizer, end=["<eos>"])


def test_input_02_a_text_that_was_rendered_already_has_its_ends_once():
    family = train_tokenizer(TEXTS, 300)
    bare = encode_document("Hello", family, 64)
    assert bare.ids == (0, *family("Hello")["input_ids"], 0)
    for text in (f"{END}Hello{END}", f"{END}Hello", f"Hello{END}"):
        assert encode_document(text, family, 64).ids == bare.ids
    spaced = encode_document(f"{END}Hello{END}\n", family, 64)
    assert spaced.ids == (*bare.ids, *family("\n")["input_ids"])
    llama = sentences_with_spaces()
    assert encode_document("<s>ab cd</s>", llama, 64).ids == encode_document("ab cd", llama, 64).ids


def test_input_02_an_end_inside_is_not_the_end():
    family = train_tokenizer(TEXTS, 300)
    made = encode_document(f"a{END}b", family, 64)
    assert made.ids.count(0) == 3 and (made.ids[0], made.ids[-1]) == (0, 0)
