import numpy as np
import torch

from attribution.model.tracked import track
from attribution.passes.hidden import hidden_cosine, hidden_states, query_hidden_states
from tests.attribution import tiny


def test_hidden_states_are_means_over_what_was_read():
    tracked = track(tiny.tiny_model())
    documents = [tiny.Row((0, 1, 2, 3, 4)), tiny.Row((0, 5))]
    found = hidden_states(tracked, documents)
    for one, document in zip(found, documents, strict=True):
        with torch.no_grad():
            mean = tracked.loaded.model.base_model(torch.tensor([document.ids])).last_hidden_state[0].mean(dim=0)
        np.testing.assert_allclose(one, (mean / mean.norm()).numpy(), rtol=1e-5)


def test_a_token_is_near_the_document_it_was_read_from():
    tracked = track(tiny.tiny_model())
    documents = tiny.tiny_documents(6)
    ids = (*documents[3].ids, 7)
    queries = query_hidden_states(tracked, ids, len(ids) - 1)
    cosine = hidden_cosine(queries, hidden_states(tracked, documents))
    assert cosine.shape == (1, 6)
    assert cosine[0].argmax() == 3
    np.testing.assert_allclose(cosine[0, 3], 1, rtol=1e-5)
