"""CTI and CCI against the dumb way: one answer token, one pass, the whole gradient."""

import pytest
import torch

from attribution.prompt.context.citations import PRESETS, cite, sensitive
from attribution.prompt.context.mirage import as_rows, contrast_contexts, mirage
from attribution.prompt.saliency.saliency import saliency
from attribution.prompt.text.parts import Part
from tests.attribution.prompt.tiny_prompt import tiny_model

BARE, CONTEXT, ANSWER = [256, 40, 50], [256, 10, 20, 30, 40, 50], [60, 70, 80]
OF_TOKEN = [-1, 0, 1, 1, 2, 2]
PARTS = (
    Part(0, "scaffold", "", 0, 1, owner=1),
    Part(1, "document", "d", 1, 3),
    Part(2, "question", "", 3, 5),
)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_token_at_a_time(position):
    model = tiny_model()
    found = mirage(model, CONTEXT, OF_TOKEN, PARTS, ANSWER)
    so_far = ANSWER[:position]
    with torch.no_grad():
        q = model(input_ids=torch.tensor([[*BARE, *so_far]])).logits[0, -1].log_softmax(-1)
    x = model.get_input_embeddings()(torch.tensor([*CONTEXT, *so_far])).detach().requires_grad_()
    p = model(inputs_embeds=x[None]).logits[0, -1].log_softmax(-1)
    torch.testing.assert_close(found.cti[position], (p.exp() * (p - q)).sum().detach())
    torch.testing.assert_close(found.cti_reversed[position], (q.exp() * (q - p)).sum().detach())
    foil = int(q.argmax())
    assert found.foil_ids[position] == foil
    (g,) = torch.autograd.grad(p[ANSWER[position]] - p[foil], x)
    torch.testing.assert_close(found.cci_norm[position], g[: len(CONTEXT)].norm(dim=1))
    torch.testing.assert_close(found.cci_grad_x_input[position], (g * x).sum(1)[: len(CONTEXT)].detach())


def test_a_token_that_needs_no_context_is_contrasted_with_nothing():
    model = tiny_model()
    with torch.no_grad():
        first = int(model(input_ids=torch.tensor([BARE])).logits[0, -1].argmax())
    found = contrast_contexts(model, CONTEXT, BARE, [first])
    assert found.foil_ids == (first,)
    torch.testing.assert_close(
        found.cci_norm[0].float(), saliency(model, CONTEXT, [first], "grad_norm").scores[0, : len(CONTEXT)]
    )


def test_without_documents_the_whole_prompt_is_the_context():
    parts = (Part(0, "question", "", 0, 5),)
    found = mirage(tiny_model(), CONTEXT, [-1, 0, 0, 0, 0, 0], parts, ANSWER)
    torch.testing.assert_close(found.cti, contrast_contexts(tiny_model(), CONTEXT, [256], ANSWER).cti)


def test_rows_hold_every_number_at_its_place():
    found = contrast_contexts(tiny_model(), CONTEXT, BARE, ANSWER)
    rows = as_rows(found.cci_norm)
    assert len(rows) == len(ANSWER) * len(CONTEXT)
    back = torch.full_like(found.cci_norm, torch.nan)
    for position, source, score in rows:
        back[position, source] = score
    torch.testing.assert_close(back, found.cci_norm)


def test_only_sensitive_tokens_when_asked():
    model = tiny_model()
    whole = contrast_contexts(model, CONTEXT, BARE, ANSWER)
    some = contrast_contexts(model, CONTEXT, BARE, ANSWER, deviations=0.5)
    chosen = list(sensitive(whole.cti.numpy(), 0.5, ddof=0))
    assert 0 < len(chosen) < len(ANSWER)
    torch.testing.assert_close(some.cti, whole.cti)
    torch.testing.assert_close(some.cci_norm[chosen], whole.cci_norm[chosen])
    assert {position for position, _, _ in as_rows(some.cci_norm)} == set(chosen)


def test_no_token_is_sensitive_enough():
    found = contrast_contexts(tiny_model(), CONTEXT, BARE, ANSWER, deviations=9.0)
    assert bool(found.cci_norm.isnan().all()) and bool(found.cci_grad_x_input.isnan().all())
    assert bool(found.cti.isfinite().all())


def test_the_preset_chooses_direction_and_cue():
    found = mirage(tiny_model(), CONTEXT, OF_TOKEN, PARTS, ANSWER)
    for preset, cti in (("paper", found.cti), ("inseq", found.cti_reversed)):
        settings = PRESETS[preset]
        alone = cite(cti.numpy(), found.cci_norm.numpy(), OF_TOKEN, PARTS, [0, 0, 0], settings)
        assert found.citations(OF_TOKEN, PARTS, [0, 0, 0], settings) == alone
