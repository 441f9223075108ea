"""The decomposition is exact, and the divergences are what their definitions say."""

from math import log

import torch

from attribution.model.sequence import encode_prompt
from attribution.prompt.context.bits import jensen_shannon, kl_divergence, prompt_bits
from attribution.prompt.text.parts import token_parts
from attribution.prompt.text.retrieval import retrieval_prompt
from attribution.prompt.text.written import Passage
from tests.attribution.prompt.tiny_prompt import byte_tokenizer, tiny_model

ANSWER = [80, 97, 114]


def made(documents):
    tokenizer = byte_tokenizer()
    prompt = retrieval_prompt("Which?", documents, tokenizer, 1000)
    encoded = encode_prompt(prompt.text, tokenizer, 1000)
    of_token = token_parts(prompt.text, encoded.spans, prompt.parts)
    return encoded.ids, of_token, prompt.parts


def surprise(ids):
    logits = tiny_model()(input_ids=torch.tensor([[*ids, *ANSWER]])).logits[0].log_softmax(-1)
    return torch.stack([-logits[len(ids) - 1 + k, token] / log(2) for k, token in enumerate(ANSWER)])


def test_the_bits_add_up_and_each_is_a_forward_pass():
    ids, of_token, parts = made([Passage("A", "one"), Passage("B", "two")])
    bits = prompt_bits(tiny_model(), ids, of_token, parts, ANSWER)
    torch.testing.assert_close(bits.question + bits.documents + bits.full, bits.nothing, atol=1e-6, rtol=0)
    documents = {part.part for part in parts if part.kind == "document"}
    headers = {part.part for part in parts if part.owner in documents}
    bare = [i for i, number in zip(ids, of_token, strict=True) if number not in documents | headers]
    torch.testing.assert_close(bits.full, surprise(ids))
    torch.testing.assert_close(bits.question, bits.nothing - surprise(bare))
    assert len(bare) < len(ids)
    assert bits.foil_ids[0] == int(tiny_model()(input_ids=torch.tensor([bare])).logits[0, -1].argmax())
    assert bool((bits.kl > 0).all()) and bool((bits.js <= log(2)).all())


def test_without_documents_the_whole_prompt_is_the_context():
    ids, of_token, parts = made([])
    bits = prompt_bits(tiny_model(), ids, of_token, parts, ANSWER)
    assert not bits.documents.any()
    torch.testing.assert_close(bits.question + bits.full, bits.nothing, atol=1e-6, rtol=0)
    assert bool((bits.kl > 0).all())


def test_divergences():
    p = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64).log()
    q = torch.tensor([[0.25, 0.25, 0.5]], dtype=torch.float64).log()
    torch.testing.assert_close(kl_divergence(p, q), torch.tensor([log(2)], dtype=torch.float64))
    torch.testing.assert_close(jensen_shannon(p, q), jensen_shannon(q, p))
    far = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64).log()
    torch.testing.assert_close(jensen_shannon(p, far), torch.tensor([log(2)], dtype=torch.float64))
