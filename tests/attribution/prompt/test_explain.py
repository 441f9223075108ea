"""One call, every table: each part is what its own function gives."""

import pytest
import torch

from attribution.errors import TryAgain
from attribution.model.sequence import answer_spans, encode_prompt
from attribution.prompt.asked import Asked
from attribution.prompt.context.bits import prompt_bits
from attribution.prompt.context.contextcite import shapley_values
from attribution.prompt.explain import PromptSettings, explain
from attribution.prompt.saliency.saliency import absent_token, saliency
from attribution.prompt.text.parts import token_parts
from attribution.prompt.text.retrieval import retrieval_prompt
from attribution.prompt.text.written import Passage
from tests.attribution.prompt.tiny_prompt import byte_tokenizer, tiny_model

TOKENIZER = byte_tokenizer()


def asked(documents):
    prompt = retrieval_prompt("Which?", documents, TOKENIZER, 1000)
    encoded = encode_prompt(prompt.text, TOKENIZER, 1000)
    ids = tuple(TOKENIZER("So. It is")["input_ids"])
    text, spans = answer_spans(ids, TOKENIZER)
    of_token = token_parts(prompt.text, encoded.spans, prompt.parts)
    return Asked(encoded.ids, of_token, prompt.parts, ids, text, spans)


def test_everything_in_one_call():
    given = asked([Passage("A", "one"), Passage("B", "two"), Passage("", "three")])
    steps = []
    share = explain(tiny_model(), given, absent_token(TOKENIZER), tick=steps.append)
    assert steps == ["bits", "mirage", "grad_norm", "grad_x_input", "ablations", "faithfulness"]
    bits = prompt_bits(tiny_model(), given.prompt_ids, given.of_token, given.parts, given.answer_ids)
    torch.testing.assert_close(share.bits.documents, bits.documents)
    alone = saliency(tiny_model(), given.prompt_ids, given.answer_ids, "grad_x_input")
    torch.testing.assert_close(share.saliency["grad_x_input"].scores, alone.scores)
    assert set(share.citations) <= {"mirage", "contextcite", "leave_one_out", "shapley_documents"}
    for cited in share.citations.values():
        assert all(citation.part in given.documents and citation.score > 0 for citation in cited)
        assert all(sum(c.sentence == s for c in cited) <= 3 for s in (0, 1))
    metrics = {(measure.method, measure.metric) for measure in share.faithfulness}
    ranked = {"grad_norm", "grad_x_input", "mirage_norm", "mirage_grad_x_input"}
    for metric in ("comprehensiveness", "sufficiency", "top_drop"):
        assert {method for method, which in metrics if which == metric} >= ranked
    predicted = {method for method, which in metrics if which == "prediction"}
    assert predicted >= {*ranked, "contextcite", "leave_one_out"}
    assert "shapley_documents" not in predicted  # it has seen every mask


def test_weights_in_bfloat16():
    given = asked([Passage("A", "one"), Passage("B", "two")])
    methods = ("grad_norm", "grad_x_input", "occlusion", "integrated_gradients", "shapley", "attention")
    share = explain(tiny_model(dtype=torch.bfloat16), given, absent_token(TOKENIZER), PromptSettings(methods, steps=8))
    torch.testing.assert_close(
        share.bits.question + share.bits.documents + share.bits.full, share.bits.nothing, atol=1e-6, rtol=0
    )
    assert share.mirage.cci_norm.dtype == torch.float32 and share.citations["mirage"]
    for method in methods:
        assert bool(share.saliency[method].scores.isfinite().all()), method


def test_a_foil_changes_what_saliency_asks():
    given = asked([Passage("A", "one")])
    plain, against = (
        explain(tiny_model(), given, None, PromptSettings(("grad_x_input",), foil_id=foil, masks=0, random=0))
        for foil in (None, 70)
    )
    foils = [70] * len(given.answer_ids)
    expected = saliency(tiny_model(), given.prompt_ids, given.answer_ids, "grad_x_input", foil_ids=foils)
    torch.testing.assert_close(against.saliency["grad_x_input"].scores, expected.scores)
    assert not torch.equal(plain.saliency["grad_x_input"].scores, expected.scores)
    assert plain.faithfulness == ()


def test_the_gap_of_a_complete_method_is_told_with_its_baseline():
    settings = PromptSettings(("integrated_gradients", "shapley"), masks=0, random=0)
    share = explain(tiny_model(), asked([]), absent_token(TOKENIZER), settings)
    told = {measure.method: measure for measure in share.faithfulness}
    assert set(told) == set(settings.methods)
    for name, measure in told.items():
        assert measure.metric == "completeness_gap"
        assert measure.value == pytest.approx(float(share.saliency[name].gap.max()))
        assert measure.detail == share.saliency[name].baseline != ""


def test_shapley_of_documents_and_of_tokens_are_two_methods():
    given = asked([Passage("A", "one"), Passage("B", "two"), Passage("", "three")])
    share = explain(tiny_model(), given, absent_token(TOKENIZER), PromptSettings(("shapley",), masks=16, random=0))
    told = {(each.method, each.metric): each.value for each in share.faithfulness}
    assert {metric for method, metric in told if method == "shapley"} >= {"top_drop", "prediction"}
    assert {metric for method, metric in told if method == "shapley_documents"} == {"top_drop"}
    scores = shapley_values(share.ablations["all"])
    single = share.ablations["single"].span_logp()  # all documents, then all but one
    assert told["shapley_documents", "top_drop"] == pytest.approx(single[0] - single[1 + int(scores.argmax())])
    assert "shapley" not in share.citations and "shapley" in share.saliency


def test_nine_documents_have_no_exact_shapley_values():
    given = asked([Passage("", letter) for letter in "abcdefghi"])
    share = explain(tiny_model(), given, None, PromptSettings(methods=(), masks=16))
    assert "shapley_documents" not in share.citations and "all" not in share.ablations
    assert share.ablations["half"].odds.shape == (16, len(given.answer_ids))


def test_fifty_documents_of_every_script():
    given = asked([Passage("", text) for text in ["لا إله", "🤖", "שלום", "é", "日本"] * 10])
    share = explain(tiny_model(), given, None, PromptSettings(methods=(), masks=8, random=0))
    assert share.ablations["half"].odds.shape == (8, len(given.answer_ids))
    assert share.ablations["single"].odds.shape == (51, len(given.answer_ids))
    assert "shapley_documents" not in share.citations
    for cited in share.citations.values():
        assert all(citation.part in given.documents for citation in cited)


def test_a_prompt_without_documents_has_no_citations():
    share = explain(tiny_model(), asked([]), None, PromptSettings(methods=("attention",)))
    assert share.citations == {} and share.ablations == {} and share.mirage is None
    assert {(measure.method, measure.metric) for measure in share.faithfulness} == {
        ("attention", "comprehensiveness"),
        ("attention", "sufficiency"),
    }


def test_a_tick_may_stop_it():
    def stop(step):
        raise TryAgain(step)

    with pytest.raises(TryAgain, match="bits"):
        explain(tiny_model(), asked([]), None, tick=stop)
