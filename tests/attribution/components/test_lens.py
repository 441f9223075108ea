"""The logit lens against the hidden states that a model returns itself."""

import numpy as np
import pytest
import torch

from attribution.components.lens import lens
from attribution.components.reading import read, read_states
from attribution.components.stream import last_norm
from attribution.model.tracked import track
from tests.attribution import tiny
from tests.attribution.architectures import opened_model
from tests.attribution.components.opened import FIRST, IDS, KINDS, opened


def by_hand(tracked):
    """log p [L + 1, K, V] of the states that the model says it has; the last of them is behind the norm already."""
    model = tracked.loaded.model
    with torch.no_grad():
        states = model(input_ids=torch.tensor([IDS[:-1]]), output_hidden_states=True, use_cache=False).hidden_states
        norm = model.get_submodule(last_norm(tracked))
        rows = [norm(each) for each in states[:-1]] + [states[-1]]
        logits = torch.stack([model.get_output_embeddings()(each)[0, FIRST - 1 :] for each in rows])
        logits = logits * tracked.head_scale
        if tracked.softcap is not None:
            logits = tracked.softcap * torch.tanh(logits / tracked.softcap)
        return logits.log_softmax(-1).numpy()


@pytest.mark.parametrize("kind", [*KINDS, "Mixtral", "Granite", "Bloom"])
def test_the_lens_is_norm_and_head_of_every_state(kind):
    tracked = opened(kind)[0] if kind in KINDS else track(opened_model(kind))
    found, want = lens(tracked, read_states(tracked, IDS, FIRST), last_norm(tracked)), by_hand(tracked)
    own = want[:, range(4), IDS[FIRST:]]
    np.testing.assert_allclose(found.logp, own, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.top_logp, want.max(-1), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(found.top, want.argmax(-1))
    order = want.argsort(-1)[..., ::-1]
    for depth in range(3):
        for k, label in enumerate(IDS[FIRST:]):
            assert order[depth, k, found.rank[depth, k] - 1] == label


def test_the_pass_of_effects_gives_the_same_and_so_do_pieces():
    tracked, units, stream = opened("gemma2")
    want = lens(tracked, read_states(tracked, IDS, FIRST), stream.final)
    same = lens(tracked, read(tracked, units, stream, IDS, FIRST), stream.final)
    small = tiny.scheduled(tracked, memory=1)
    apart = lens(small, read_states(small, IDS, FIRST), stream.final)
    for name in ("logp", "rank", "top", "top_logp"):
        np.testing.assert_allclose(getattr(same, name), getattr(want, name), rtol=1e-9)
        np.testing.assert_allclose(getattr(apart, name), getattr(want, name), rtol=1e-9)
