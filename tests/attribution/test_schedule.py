"""A schedule is shared out, and never so thin that nothing can be held."""

from attribution.schedule import LEAST, Schedule


def test_a_share_is_one_of_the_memory_and_never_nothing():
    assert Schedule(memory=8 << 30).share(0.25) == 2 << 30
    assert Schedule(memory=LEAST).share(0.01) == LEAST // 4
