"""Every architecture of the documentation: what this engine computes is what autograd says, whatever its quirks are."""

from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.errors import BadInput
from attribution.exact.agreement import check_agreement
from attribution.exact.scores import score_documents
from attribution.exact.token_loss import token_losses
from attribution.index.corpus_pass import corpus_pass
from attribution.model.coverage import EXPLAINED, NORMS, OTHERS, coverage, share
from attribution.model.tracked import track
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients
from attribution.query.solve import query_directions
from tests.attribution import tiny
from tests.attribution.architecture_table import table
from tests.attribution.architectures import CONFIGS, DECODERS, V, opened_model, random_model

N = 50
BEGIN = 7
PADDED = {"Llama", "Mistral", "Qwen 2 and 2.5", "Gemma", "Gemma 3 (text)", "OPT", "Mixtral"}
# Mamba's scan, and the attention of these, are computed in float32 whatever they are given
CLOSE = {"Mamba": 1e-5, "GPT-J": 1e-5, "GPT-Neo": 1e-5}


def documents() -> list[Row]:
    """All begin with one id, which is the padding id of some models; one is longer than the others."""
    generator = torch.Generator().manual_seed(3)
    return [Row((BEGIN, *torch.randint(V, (n,), generator=generator).tolist())) for n in (4, 9, 3)]


def changed(name: str) -> dict[str, object]:
    """`padding_idx` is the begin token where a model's embedding has one."""
    return {"pad_token_id": BEGIN} if name in PADDED else {}


def truth(tracked, document) -> tuple[torch.Tensor, ...]:
    return tiny.gradient(tracked, lambda moving: tiny.loss(tracked, moving, document))


def close(found, expected, name: str, rel: float) -> None:
    assert float((found - expected).norm()) <= rel * float(expected.norm()) + 1e-12, name


@pytest.mark.parametrize("name", DECODERS)
def test_gradients_scores_norms_and_token_losses_are_those_of_autograd(name):
    tracked = track(opened_model(name, **changed(name)))
    assert (getattr(tracked.embedding_module, "padding_idx", None) == BEGIN) == (name in PADDED)
    rel = CLOSE.get(name, 1e-8)
    of = documents()
    captured = capture(tracked, pad(of, range(len(of))))
    found = [delta.mT @ a for delta, a in zip(captured.deltas, captured.inputs, strict=True)]
    found += [block_gradients(tracked, captured, i, torch.arange(V)) for i in range(len(tracked.embedding))]
    expected = [truth(tracked, document) for document in of]
    for b in range(len(of)):
        for layer, block, exact in zip(tracked.layers, found, expected[b], strict=True):
            close(block[b], exact, layer.name, rel)
    factors = tiny.random_factors(tracked)
    query = (BEGIN, 5, 11, 3, 8)
    directions = query_directions(tracked, damp(factors), query, 2, negligible=0)
    scores = score_documents(tracked, directions, of, N).values.sum(axis=2)  # [Q, D]
    norms = corpus_pass(tracked, damp(factors), of, N, budget=10_000).norms
    for q in range(directions.n):
        asked = Row(query[: 3 + q], first_target=2 + q)
        g = tuple(-block for block in truth(tracked, asked))
        solved = [P / 1.0 for P in (block.values[q] for block in (*directions.linear, *directions.embedding))]
        assert all(torch.isfinite(P).all() for P in solved)
        for d, document in enumerate(expected):
            exact = -float(sum((P * part).sum() for P, part in zip(solved, document, strict=True))) / N
            assert scores[q, d] == pytest.approx(exact, rel=max(rel, 1e-5), abs=1e-9)
        # the direction is the gradient of log p, solved
        H = damp(factors)
        for P, part, block in zip(solved, g, H.blocks, strict=True):
            close(P, block.solve(part), name, max(rel, 1e-6))
    for d, document in enumerate(expected):
        exact = float(torch.stack([(part**2).sum() for part in document]).sum().sqrt())
        assert norms.grad_norm[d] == pytest.approx(exact, rel=1e-4)
    if name != "Bloom":  # its activation has no forward derivative
        made = token_losses(tracked, directions, of, [range(len(of))] * directions.n, N)
        for q, each in enumerate(made):
            sums = [one.influences.sum() for one in each]
            np.testing.assert_allclose(sums, scores[q], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", DECODERS)
def test_every_architecture_passes_the_check_on_opening(name, dtype):
    loaded = opened_model(name, **changed(name))
    loaded.model.to(dtype)
    tracked = track(loaded)
    check_agreement(tracked, forward_mode=name != "Bloom")
    assert all(parameter.grad is None for parameter in loaded.model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in loaded.model.modules())


def test_input_24_an_activation_without_a_forward_derivative_is_told_in_one_line():
    with pytest.raises(BadInput, match=r"forward derivative in BloomForCausalLM.*set \[scores\] token_losses = 0"):
        check_agreement(track(opened_model("Bloom")))


@pytest.mark.parametrize("name", DECODERS)
def test_input_23_every_parameter_is_counted_once(name):
    tracked = track(opened_model(name))
    covered = coverage(tracked)
    assert sum(of.n_params for of in covered) == tracked.loaded.n_params
    explained = sum(layer.n_out * layer.n_in for layer in tracked.layers)
    assert sum(of.n_params for of in covered if of.kind == EXPLAINED) == explained
    assert share(covered, EXPLAINED) + share(covered, NORMS) + share(covered, OTHERS) == pytest.approx(1)


def left_out(name: str) -> set[str]:
    return {of.name for of in coverage(track(opened_model(name))) if of.kind == OTHERS}


def test_input_23_positions_and_experts_that_are_together_are_named_as_not_explained():
    assert left_out("GPT-2") == {"transformer.wpe.weight"}
    experts = {f"model.layers.*.mlp.experts.{each}_proj" for each in ("gate_up", "down")}
    together = track(random_model("Mixtral"))
    assert {of.name for of in coverage(together) if of.kind == OTHERS} == experts | {"model.layers.*.mlp.gate.weight"}
    assert left_out("Mixtral") == {"model.layers.*.mlp.gate.weight"}
    assert left_out("Llama") == set()


def test_input_22_the_text_model_of_a_model_of_texts_and_images_is_explained():
    tracked = track(opened_model("Gemma 3 (text and images)"))
    assert all(layer.name.startswith(("model.language_model.", "lm_head")) for layer in tracked.layers)
    assert tracked.loaded.context == 64
    assert all("language_model" not in name for name in left_out("Gemma 3 (text and images)"))


def test_the_documentation_has_the_table_that_is_measured():
    written = (Path(__file__).parents[2] / "docs/architectures.md").read_text(encoding="utf-8")
    assert table() in written, "write it anew: python -m tests.attribution.architecture_table"


def test_no_architecture_is_forgotten():
    assert set(DECODERS) | {"T5"} == set(CONFIGS)
