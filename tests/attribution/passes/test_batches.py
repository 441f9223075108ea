import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput
from attribution.passes.batches import Row, batches, pad, plan_batches

CPU = torch.device("cpu")


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 100), st.integers(1, 9))
def test_every_document_is_in_one_batch_within_the_budget(lengths, tokens, most):
    documents = [Row((0,) * n) for n in lengths]
    planned = plan_batches(documents, tokens, most)
    assert sorted(i for members in planned for i in members) == list(range(len(lengths)))
    for members in planned:
        longest = max(lengths[i] for i in members)
        assert len(members) == 1 or (len(members) * longest <= tokens and len(members) <= most)


def test_targets_are_shifted_by_one():
    batch = pad([Row((7, 8, 9)), Row((1, 2, 3, 4), first_target=3)], [0, 1])
    assert batch.ids.tolist() == [[7, 8, 9, 0], [1, 2, 3, 4]]
    assert batch.is_target.tolist() == [[True, True, False, False], [False, False, True, False]]
    assert batch.labels.tolist() == [8, 9, 4]


@pytest.mark.parametrize("ids", [(), (1, 2, 3)])
def test_empty_and_long_documents_are_named(ids):
    with pytest.raises(BadInput, match="in document 1"):
        list(batches([Row((1,)), Row(ids)], context=2, device=CPU))
