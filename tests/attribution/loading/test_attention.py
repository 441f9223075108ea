"""The fused kernel gives the numbers of the plain one, and only what needs the plain one gets it."""

import pytest
import torch

from attribution.loading.attention import FUSED, PLAIN, plain_attention
from attribution.model.tracked import track
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture, forward, pull_back
from attribution.prompt.saliency.saliency import saliency
from tests.attribution.architectures import DECODERS, V, opened_model, random_model

NEVER_FUSED = {"Gemma 2", "GPT-Neo", "Falcon", "Falcon (ALiBi)", "Bloom", "Mamba"}
LENGTH = 12  # longer than the windows of those that have one


def kernel(model) -> str:
    return model.config.get_text_config()._attn_implementation


def rows() -> list[Row]:
    generator = torch.Generator().manual_seed(3)
    return [Row(tuple(torch.randint(V, (n,), generator=generator).tolist())) for n in (LENGTH, 5, 1)]


@pytest.mark.parametrize("name", DECODERS)
def test_every_architecture_that_can_is_fused(name):
    assert (kernel(random_model(name).model) == PLAIN) == (name in NEVER_FUSED)


@pytest.mark.parametrize("name", [name for name in DECODERS if name not in NEVER_FUSED])
def test_document_and_query_passes_are_those_of_the_plain_kernel(name):
    tracked = track(opened_model(name))
    batch = pad(rows(), range(3))
    starts = torch.randn(4, *batch.ids.shape, tracked.width, dtype=tracked.dtype)

    def passed() -> list[torch.Tensor]:
        captured, run = capture(tracked, batch), forward(tracked, batch.rows)
        deltas, embedded = pull_back(tracked, run, starts)
        return [*captured.deltas, captured.logit_deltas, captured.embedded_deltas, *deltas, embedded]

    fused = passed()
    with plain_attention(tracked.loaded.model):
        assert kernel(tracked.loaded.model) == PLAIN
        plain = passed()
    assert kernel(tracked.loaded.model) == FUSED
    for one, other in zip(fused, plain, strict=True):  # plain attention takes its softmax in float32
        assert float((one - other).norm()) <= 1e-5 * float(other.norm())


@pytest.mark.parametrize("name", ["Llama", "Mistral", "GPT-2"])
def test_a_fused_graph_holds_no_weights_of_pairs_of_tokens(name):
    tracked = track(random_model(name))
    held: list[int] = []

    def keep(saved: torch.Tensor) -> torch.Tensor:
        if saved.shape[-2:] == (LENGTH, LENGTH) and saved.numel() > LENGTH**2:  # a mask is one for all heads
            held.append(saved.numel())
        return saved

    def graph() -> int:
        held.clear()
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved):
            forward(tracked, torch.arange(LENGTH)[None])
        return sum(held)

    assert graph() == 0
    with plain_attention(tracked.loaded.model):
        assert graph() > 0


def test_what_was_there_is_there_again_whatever_happens():
    model = random_model("Gemma 3 (text and images)").model
    with pytest.raises(RuntimeError, match="on purpose"), plain_attention(model):
        raise RuntimeError("on purpose")
    assert {each._attn_implementation for each in (model.config, model.config.text_config)} == {FUSED}


def test_a_fused_model_still_tells_its_attention():
    model = random_model("Llama").model
    found = saliency(model, [5, 6, 7], [8, 9], "attention")
    torch.testing.assert_close(found.scores.sum(dim=1), torch.ones(2))
    assert kernel(model) == FUSED
