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


def said(ids):
    """log p of every vocabulary entry at every answer token  # [A, V]"""
    logits = tiny_model()(input_ids=torch.tensor([[*ids, *ANSWER]])).logits[0].detach()
    return logits[len(ids) - 1 : -1].log_softmax(-1)


def surprise(ids):
    return torch.stack([-logp[token] / log(2) for logp, token in zip(said(ids), ANSWER, strict=True)])


def agree(bits, full, context):
    """Divergences and foils, from the probabilities with [A, V] and without the context."""
    p, q = full.exp(), context.exp()
    m = (p + q) / 2
    torch.testing.assert_close(bits.kl, (p * (p / q).log()).sum(-1))
    torch.testing.assert_close(bits.kl_reversed, (q * (q / p).log()).sum(-1))
    torch.testing.assert_close(bits.js, (p * (p / m).log() + q * (q / m).log()).sum(-1) / 2)
    assert not torch.allclose(bits.kl, bits.kl_reversed)
    assert list(bits.foil_ids) == context.argmax(-1).tolist()
    torch.testing.assert_close(bits.foil_logp, torch.stack([of[i] for of, i in zip(full, bits.foil_ids, strict=True)]))


def test_the_bits_add_up_and_each_is_a_forward_pass():
    ids, of_token, parts = made([Passage("A", "one"), Passage("B", "two")])
    bits = prompt_bits(tiny_model(), ids, of_token, parts, ANSWER)
    torch.testing.assert_close(bits.question + bits.documents + bits.full, bits.nothing, atol=1e-6, rtol=0)
    documents = {part.part for part in parts if part.kind == "document"}
    headers = {part.part for part in parts if part.owner in documents}
    bare = [i for i, number in zip(ids, of_token, strict=True) if number not in documents | headers]
    empty = [i for i, number in zip(ids, of_token, strict=True) if number < 0 or stays(parts[number])]
    torch.testing.assert_close(bits.full, surprise(ids))
    torch.testing.assert_close(bits.nothing, surprise(empty))
    torch.testing.assert_close(bits.question, surprise(empty) - surprise(bare))
    torch.testing.assert_close(bits.documents, surprise(bare) - surprise(ids))
    assert len(empty) < len(bare) < len(ids)
    agree(bits, said(ids), said(bare))


def stays(part):
    """Scaffold that introduces nothing."""
    return part.kind == "scaffold" and part.owner < 0


def test_without_documents_the_whole_prompt_is_the_context():
    ids, of_token, parts = made([])
    bits = prompt_bits(tiny_model(), ids, of_token, parts, ANSWER)
    assert not bits.documents.any()
    torch.testing.assert_close(bits.question + bits.full, bits.nothing, atol=1e-6, rtol=0)
    empty = [i for i, number in zip(ids, of_token, strict=True) if number < 0 or stays(parts[number])]
    torch.testing.assert_close(bits.nothing, surprise(empty))
    agree(bits, said(ids), said(empty))


def test_divergences():
    p = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64).log()
    q = torch.tensor([[0.25, 0.25, 0.5]], dtype=torch.float64).log()
    torch.testing.assert_close(kl_divergence(p, q), torch.tensor([log(2)], dtype=torch.float64))
    torch.testing.assert_close(jensen_shannon(p, q), jensen_shannon(q, p))
    far = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64).log()
    torch.testing.assert_close(jensen_shannon(p, far), torch.tensor([log(2)], dtype=torch.float64))
