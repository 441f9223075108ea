"""Retrieval prompts of every size that a user may paste."""

import pytest

from attribution.errors import BadInput
from attribution.model.sequence import encode_prompt
from attribution.prompt.text.retrieval import conversation_prompt, retrieval_prompt
from attribution.prompt.text.written import Passage, Wording, turn
from tests.attribution.prompt.tiny_prompt import byte_tokenizer


@pytest.mark.parametrize("chat", [False, True])
def test_titles_and_numbers_are_scaffold(chat):
    prompt = retrieval_prompt("Who?", [Passage("T", "fact one"), Passage("", "two")], byte_tokenizer(chat), 500)
    documents = [prompt.parts[n] for n in prompt.numbers("document")]
    assert [prompt.text[d.start : d.stop] for d in documents] == ["fact one", "two"]
    assert [d.title for d in documents] == ["T", "document 2"]
    assert "[1] T\nfact one\n\n[2] two\n\nQuestion: Who?" in prompt.text
    assert prompt.notices == ()


AUTHORS = Wording("Write an accurate answer.", "Passage [{ID}](Title: {T}): {P}\n")


def make_doc_prompt(document, number):
    """As the authors of MIRAGE and of its interface fill their form."""
    filled = AUTHORS.doc_prompt.replace("{T}", document.title).replace("{P}", document.text)
    return filled.replace("{ID}", str(number))


@pytest.mark.parametrize("chat", [False, True])
def test_input_07_an_instruction_and_a_form_of_documents_of_ones_own(chat):
    documents = [Passage("T", "fact {ID}"), Passage("", "two")]
    prompt = retrieval_prompt("Who?", documents, byte_tokenizer(chat), 500, AUTHORS)
    block = "".join(make_doc_prompt(d, i) for i, d in enumerate([Passage("T", "fact {ID}"), documents[1]], 1))
    assert f"Write an accurate answer.\n\n{block}Question: Who?" in prompt.text.replace("fact {ID}", "fact 1")
    assert [prompt.text[prompt.parts[n].start : prompt.parts[n].stop] for n in prompt.numbers("document")] == [
        *("fact {ID}", "two")
    ]
    bare = retrieval_prompt("Who?", documents, byte_tokenizer(chat), 500, Wording(""))
    assert "[1] T\nfact {ID}\n\n[2] two\n\nQuestion: Who?" in bare.text and not bare.numbers("system")


TURNS = [turn("system", "Brief."), turn("user", "Hi"), turn("assistant", "Yes?"), turn("user", "Who?")]


@pytest.mark.parametrize("chat", [False, True])
def test_input_07_messages_with_documents_keep_citations(chat):
    documents = [Passage("T", "fact one"), Passage("", "two " * 400)]
    prompt = conversation_prompt(TURNS, documents, byte_tokenizer(chat), 500, AUTHORS)
    assert [prompt.text[prompt.parts[n].start : prompt.parts[n].stop][:8] for n in prompt.numbers("document")] == [
        *("fact one", "two two ")
    ]
    assert (
        prompt.text.index("Yes?") < prompt.text.index("Passage [1](Title: T): fact one\n") < prompt.text.index("Who?")
    )
    assert any("document 2 cut from 1,600 to " in notice for notice in prompt.notices)
    assert len(byte_tokenizer()(prompt.text)["input_ids"]) <= 500


def test_input_07_where_the_template_has_a_place_for_documents_they_stand_there():
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{% for d in documents %}<{{ d.text }}>{% endfor %}{{ messages[-1].content }}"
    prompt = conversation_prompt([turn("user", "Who?")], [Passage("", " "), Passage("", "a")], tokenizer, 500)
    assert prompt.text == "<a>Who?" and len(prompt.numbers("document")) == 1
    assert prompt.notices == ("document 1 is empty and was left out",)


def test_fifty_documents():
    prompt = retrieval_prompt("Who?", [Passage(f"t{i}", f"fact {i}") for i in range(50)], byte_tokenizer(), 2000)
    assert len(prompt.numbers("document")) == 50


def test_empty_documents_are_left_out_with_a_notice():
    prompt = retrieval_prompt("Who?", [Passage("a", " \n"), Passage("b", "fact")], byte_tokenizer(), 500)
    assert prompt.notices == ("document 1 is empty and was left out",)
    assert len(prompt.numbers("document")) == 1


def test_no_documents_is_a_question_with_a_notice():
    prompt = retrieval_prompt("Who?", [], byte_tokenizer(), 500)
    assert prompt.text == "Question: Who?\nAnswer:"
    assert "no documents" in prompt.notices[0]


@pytest.mark.parametrize("chat", [False, True])
def test_a_hundred_thousand_characters_are_cut_with_a_notice(chat):
    tokenizer = byte_tokenizer(chat)
    long, short = "لماذا 🤖 " * 12_500, "short fact"
    prompt = retrieval_prompt("Who?", [Passage("big", long), Passage("", short)], tokenizer, 600)
    assert 590 <= len(encode_prompt(prompt.text, tokenizer, 1000)) <= 600
    assert prompt.notices[-1].startswith("document 1 (big) cut from 100,000 to ")
    texts = [prompt.text[prompt.parts[n].start : prompt.parts[n].stop] for n in prompt.numbers("document")]
    assert long.startswith(texts[0]) and texts[1] == short


@pytest.mark.parametrize(
    ("question", "documents", "room", "message"),
    [
        ("  ", [Passage("", "fact")], 500, "expected a question"),
        ("Who? " * 100, [Passage("", "fact")], 200, "no room for documents"),
        ("Who?", [Passage("", "fact")] * 50, 200, "50 document headers"),
        ("Who? " * 100, [], 200, "no room"),
    ],
)
def test_what_cannot_fit_is_said(question, documents, room, message):
    with pytest.raises(BadInput, match=message):
        retrieval_prompt(question, documents, byte_tokenizer(), room)
