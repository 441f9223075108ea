"""What exact scores cost follows how they are computed: parts, waves of documents, what is read a second time."""

from dataclasses import replace

import pytest

from attribution.exact.scores import WAVE
from attribution.passes.room import NUMBER
from attribution.query.settled import HELD
from attribution.schedule import Schedule
from indexer.plan.exact import documents_read, looking_closer, n_parts, scoring, spans, waves
from indexer.tracing.answer_parts import SIZE, TOKENS, answer_parts
from tests.indexer.plan.test_forecast import CONFIG, OF, SPEEDS, WORK

LARGE = Schedule(memory=2**50)


def test_directions_that_are_kept_formed_are_formed_once():
    queries, just = 10.0, NUMBER * 10 * OF.entries / HELD
    assert waves(WORK, Schedule(memory=int(just) + 1), 1e9, queries) == 1
    assert waves(WORK, Schedule(memory=int(just) - 1), 1e9, queries) > 1


def test_others_are_formed_for_every_wave_of_passes():
    each = NUMBER * WORK.n_tokens * (sum(OF.numbers_of_token) + OF.vocabulary)
    memory = int(3 * each / WAVE) + 1  # three documents
    assert waves(WORK, Schedule(memory=memory), 3, 1e9) == 1
    assert waves(WORK, Schedule(memory=memory), 30, 1e9) == 10


@pytest.mark.parametrize("n_stages", [1, 2])
@pytest.mark.parametrize("n_tracked", [1, 10**6, 10**9])
def test_there_are_as_many_parts_as_answers_are_grouped_into(n_tracked, n_stages):
    shape = replace(OF.linear[0], n_out=n_tracked, n_in=1, n=1)
    work = replace(WORK, shapes=replace(OF, linear=(shape,)), n_prompts=64, n_written=32, n_stages=n_stages)
    made = answer_parts([32] * 64, n_tracked, n_stages, SIZE, TOKENS)
    assert len(made) == pytest.approx(n_parts(work), rel=0.25)


def test_each_part_reads_its_documents():
    assert documents_read(WORK, CONFIG, 10, 2) > WORK.n_documents / 2  # so two parts read more than all
    whole, parts = (scoring(WORK, SPEEDS, CONFIG, LARGE, 40, 8, parts=n) for n in (1, 4))
    assert parts == pytest.approx(4 * scoring(WORK, SPEEDS, CONFIG, LARGE, 10, 2))
    assert parts > 1.5 * whole


def test_documents_are_read_again_for_their_position_shares():
    few, many = (replace(CONFIG, scores=replace(CONFIG.scores, position_shares=n)) for n in (0, 10))
    more = looking_closer(WORK, SPEEDS, many, LARGE, 40, 8) - looking_closer(WORK, SPEEDS, few, LARGE, 40, 8)
    assert more > 0.45 * 10 * 40 * 3 * OF.n_params * WORK.n_tokens  # of those that no neighbour keeps, a pass each


def test_words_cost_less_than_twice_the_tokens_and_are_counted():
    """However long an answer: a span meets what all spans of its answer meet, which is bounded."""
    without = replace(CONFIG, scores=replace(CONFIG.scores, words=False))
    for n_written in (4.0, 40.0, 400.0):
        work = replace(WORK, n_written=n_written)
        one, other = (
            scoring(work, SPEEDS, of, LARGE, n_written, 1) + looking_closer(work, SPEEDS, of, LARGE, n_written, 1)
            for of in (without, CONFIG)
        )
        assert 1.05 * one < other < (2.5 if n_written < 10 else 2) * one
    assert spans(without, 40, 4) == (0, 0)
