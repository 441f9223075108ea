"""Sign and scale, against the definition: what happens to f when the parameters take the step of seeing z once more."""

import pytest
import torch
from torch.func import jvp

from attribution.exact.scores import score_documents
from attribution.influence import influence, influence_by_logp, self_influence
from attribution.query.solve import query_directions
from tests.attribution import tiny

N = 100


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")  # torch's own use, when forward mode is loaded
def test_influence_is_the_change_of_the_measurement_after_the_step(plain):
    tracked, H = tiny.tiny_engine()
    document, query = tiny.tiny_documents(plain=True)[:2]
    g = tiny.gradient(tracked, lambda moving: tiny.loss(tracked, moving, document))
    step = [-solved / N for solved in tiny.dense_solve(tiny.random_factors(tracked), g)]  # −(1/N) H⁻¹ ∇L

    here = tiny.parameters(tracked)
    moved = dict(zip(here, step, strict=True))  # llama has no bias: one matrix a layer
    _, expected = jvp(lambda moving: tiny.token_logp(tracked, moving, query)[-1], (here,), (moved,))
    d = query_directions(tracked, H, query.ids, len(query.ids) - 1, negligible=0)
    found = score_documents(tracked, d, [document], N).values.sum()
    torch.testing.assert_close(torch.tensor(found).double(), expected, rtol=1e-5, atol=0)


def test_a_text_makes_itself_more_likely():
    tracked, H = tiny.tiny_engine()
    for document in tiny.tiny_documents(plain=True):
        d = query_directions(tracked, H, document.ids, document.first_target, measurement="mean_logp")
        assert score_documents(tracked, d, [document], N).values.sum() > 0


def test_one_home_of_sign_and_scale():
    assert influence(2.0, 4) == -0.5
    assert influence_by_logp(2.0, 4) == 0.5
    assert self_influence(2.0, 4) == 0.5
