import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.mapped import seen
from indexer.mapped.seen import Seen

END_ALIKE = st.tuples(st.integers(0, 2**30), st.integers(0, 3)).map(lambda of: 8 * seen.MARKS * of[0] + of[1])
NUMBERS = st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**64 - 1), END_ALIKE), max_size=80)


@given(NUMBERS, st.integers(1, 9))
def test_a_number_is_new_once(numbers, most):
    found, known = Seen(), set()
    before = seen.NEW
    seen.NEW = most
    try:
        for number in numbers:
            assert found.add(number) == (number not in known)
            known.add(number)
    finally:
        seen.NEW = before
    assert {*found._new, *(int(each) for run in found._runs for each in run)} == known


def test_there_are_few_runs_and_they_take_eight_bytes_a_number(monkeypatch):
    monkeypatch.setattr(seen, "NEW", 16)
    found = Seen()
    assert all(found.add(int(number)) for number in np.random.default_rng(0).permutation(10_000))
    assert len(found._runs) <= 10  # log2(10,000 / 16)
    assert sum(run.nbytes for run in found._runs) + 8 * len(found._new) == 80_000
