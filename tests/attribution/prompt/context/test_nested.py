"""Sentences of documents as sources, against prompts that are written out without them, one by one."""

from itertools import product

import numpy as np
import pytest
import torch

from attribution.model.sequence import Encoded, encode_prompt
from attribution.prompt.context.ablated import ablate
from attribution.prompt.context.contextcite import Ablations, Masks, leave_one_out, sources
from attribution.prompt.context.nested import HALF, MOST_SINGLE, SINGLE, Nested, designs, nested
from attribution.prompt.saliency.shapley import subsets
from attribution.prompt.stored import sentence_scores
from attribution.prompt.text.parts import PromptText, token_parts
from attribution.prompt.text.retrieval import retrieval_prompt
from attribution.prompt.text.sentences import document_sentences
from attribution.prompt.text.written import INSTRUCTION, Passage
from tests.attribution.prompt.tiny_prompt import byte_tokenizer, tiny_model

TOKENIZER = byte_tokenizer()
TEXTS = (("It is Lima.", " Llamas eat grass."), ("Oslo!",), ("A b.", " C d?", " E"))  # sentences of three documents
ANSWER = tuple(TOKENIZER("It is")["input_ids"])


def read(texts: tuple[tuple[str, ...], ...] = TEXTS) -> tuple[PromptText, Encoded, Nested]:
    prompt = retrieval_prompt("Which?", [Passage("T", "".join(each)) for each in texts], TOKENIZER, 1000)
    encoded = encode_prompt(prompt.text, TOKENIZER, 1000)
    of_token = token_parts(prompt.text, encoded.spans, prompt.parts)
    found = document_sentences(prompt.text, prompt.parts)
    return prompt, encoded, nested(encoded.spans, of_token, prompt.parts, found, prompt.text)


def written_without(mask: tuple[bool, ...]) -> str:
    """The prompt with the sentences of the mask alone, put together by hand; a document without any has no label."""
    stays, documents = list(mask), []
    for number, sentences in enumerate(TEXTS, 1):
        kept = [sentence for sentence in sentences if stays.pop(0)]
        if kept:
            documents.append(f"[{number}] T\n{''.join(kept)}\n\n")
    return f"{INSTRUCTION}\n\n{''.join(documents)}Question: Which?\nAnswer:"


def odds_after(prompt: str) -> list[float]:
    """log(p / (1 - p)) of every token of the answer, from probabilities."""
    ids = [*encode_prompt(prompt, TOKENIZER, 1000).ids, *ANSWER]
    with torch.inference_mode():
        p = tiny_model()(torch.tensor([ids])).logits[0].double().softmax(-1)
    said = [float(p[len(ids) - len(ANSWER) - 1 + k, token]) for k, token in enumerate(ANSWER)]
    return [float(np.log(each / (1 - each))) for each in said]


def measured(encoded: Encoded, inside: Nested, masks: Masks) -> Ablations:
    found = ablate(tiny_model(), encoded.ids, inside.of_token, ANSWER, inside.with_labels(masks))
    return Ablations(masks, found.odds)


def test_sentences_cover_their_documents_in_reading_order() -> None:
    prompt, *_ = read()
    found = document_sentences(prompt.text, prompt.parts)
    assert [prompt.text[each.start : each.stop] for each in found] == [text for each in TEXTS for text in each]
    documents = prompt.numbers("document")
    assert [documents.index(each.part) for each in found] == [0, 0, 1, 2, 2, 2]


def test_every_mask_is_the_prompt_written_without_these_sentences() -> None:
    """One id for each byte, so that what is put together from texts has the ids that are left."""
    prompt, encoded, inside = read()
    masks = np.array(list(product((False, True), repeat=6)))
    found = ablate(tiny_model(), encoded.ids, inside.of_token, ANSWER, inside.with_labels(masks))
    for mask, odds in zip(masks.tolist(), found.odds, strict=True):
        np.testing.assert_allclose(odds, odds_after(written_without(tuple(mask))), rtol=1e-6)


def test_a_document_goes_with_all_of_its_sentences() -> None:
    prompt, encoded, inside = read()
    of_token = token_parts(prompt.text, encoded.spans, prompt.parts)
    whole = ablate(tiny_model(), encoded.ids, sources(of_token, prompt.parts), ANSWER, subsets(3))
    masks = inside.with_labels(inside.of_documents(subsets(3)))
    again = ablate(tiny_model(), encoded.ids, inside.of_token, ANSWER, masks)
    np.testing.assert_allclose(again.odds, whole.odds)


def test_scores_from_what_is_stored_are_losses_counted_by_hand() -> None:
    _, encoded, inside = read()
    stored = {design: measured(encoded, inside, masks) for design, masks in designs(6).items()}
    scores = sentence_scores(stored, [1])

    def logp(mask: tuple[bool, ...]) -> float:
        return float(-np.log1p(np.exp(-odds_after(written_without(mask))[1])))

    everything = (True,) * 6
    for number in range(6):
        alone = tuple(i != number for i in range(6))
        assert scores["leave_one_out"][number] == pytest.approx(logp(everything) - logp(alone), rel=1e-6)
    assert len(scores["contextcite"]) == 6
    assert sentence_scores({"single": stored[SINGLE]}) == {}  # of whole documents alone


def test_one_sentence_a_document_is_nothing_new() -> None:
    assert not read((("One.",), ("Two.",)))[2].several
    assert read((("One.",), ("Two.", " Three.")))[2].several


def test_many_sentences_are_left_out_at_random_alone() -> None:
    assert set(designs(MOST_SINGLE)) == {HALF, SINGLE}
    many = designs(MOST_SINGLE + 1, 32)
    assert set(many) == {HALF} and many[HALF].shape == (32, MOST_SINGLE + 1)


def test_leaving_out_what_is_no_token_changes_nothing() -> None:
    """A sentence may end inside a token: then nothing begins in it, and nothing falls with it."""
    prompt, encoded, _ = read()
    whole = [(start, stop) for start, stop in encoded.spans]
    of_token = token_parts(prompt.text, whole, prompt.parts)
    found = document_sentences(prompt.text, prompt.parts)
    joined = [each for each in whole if not found[1].start <= each[0] < found[1].stop]
    kept = [part for part, each in zip(of_token, whole, strict=True) if each in joined]
    inside = nested(joined, kept, prompt.parts, found, prompt.text)
    assert 1 not in inside.of_token and {0, 2} <= set(inside.of_token)
    ids = [token for token, each in zip(encoded.ids, whole, strict=True) if each in joined]
    single = ablate(tiny_model(), ids, inside.of_token, ANSWER, inside.with_labels(designs(6)[SINGLE]))
    assert leave_one_out(single)[1] == 0
