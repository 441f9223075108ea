"""Memory is counted from shapes: what is captured is what the engine captures, and the budget is kept."""

from dataclasses import replace

import pytest

from attribution.model.tracked import track
from attribution.passes.batches import pad
from attribution.passes.capture import capture
from attribution.passes.room import NUMBER
from attribution.schedule import Schedule
from indexer.plan import memory
from indexer.plan.shapes import shapes_of
from indexer.plan.work import Work
from tests.attribution.tiny import tiny_documents, tiny_model

SMALL, LARGE = Schedule(memory=1 << 20), Schedule(memory=1 << 40)


def work() -> Work:
    of = shapes_of(track(tiny_model("llama")))
    return Work(of, n_documents=50_000, n_tokens=40, longest=60, widest=60, n_prompts=3, n_read=5, n_written=7)


@pytest.mark.parametrize("memory_of", [1, 20_000, 1 << 40])
@pytest.mark.parametrize("how", [{}, {"embedding": False}])
def test_batches_are_as_long_as_the_passes_make_them(how, memory_of):
    loaded = replace(tiny_model("llama"), schedule=Schedule(memory=memory_of))
    tracked = track(loaded, **how)
    assert memory.batch_tokens(shapes_of(tracked), tracked.schedule) == tracked.batch_tokens


def test_a_token_of_a_pass_holds_at_least_what_is_captured_of_it():
    tracked = track(tiny_model("llama"))
    captured = capture(tracked, pad(tiny_documents(), range(5)))
    places, size = captured.batch.ids.numel(), captured.hidden.element_size()
    held = captured.nbytes(tracked) * NUMBER / size / places
    assert held < memory.bytes_of_token(shapes_of(tracked)) < 4 * held


def test_a_budget_is_a_bound_and_the_corpus_does_not_grow_what_passes_hold():
    of = work()
    more = replace(of, n_documents=10 * of.n_documents)
    for each in (of, more):
        assert memory.scoring(each, SMALL, 100, 1e6, 1e3)[memory.BUDGET] <= SMALL.memory
    assert memory.scoring(of, LARGE, 100, 1e4, 9)[memory.BUDGET] < LARGE.memory / 100
    assert memory.of_pass(of, SMALL) == memory.of_pass(more, SMALL)
    assert memory.fitting(of, SMALL, 2000) == memory.fitting(replace(of, n_prompts=99), SMALL, 2000)


def test_a_longer_document_makes_a_larger_pass_and_a_second_stage_more_weights():
    of = work()
    for places in (4096, 40_000):
        tables = 4 * 4 * places**2  # of every two places, which stand in one pass whatever the window
        found = memory.of_pass(replace(of, longest=places), SMALL)
        assert found - tables == places * memory.bytes_of_token(of.shapes)
    assert memory.fitting(replace(of, longest=4096), SMALL, 2000) == memory.fitting(of, SMALL, 2000)  # by windows
    two = replace(of, n_stages=2)
    for stage in (memory.scoring(two, SMALL, 100, 9, 9), memory.passing_corpus(two, SMALL, 100)):
        assert stage[memory.WEIGHTS] == 2 * memory.opened(of)[memory.WEIGHTS]
        assert stage[memory.FACTORS] == 2 * memory.of_factors(of.shapes)
