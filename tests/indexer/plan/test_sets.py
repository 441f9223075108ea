"""What target sets take follows the corpus, the texts and the share that is scored."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.config.targets import TargetSet
from indexer.plan import sets
from indexer.plan.forecast import SETS
from indexer.tracing.candidates import N_RANDOM
from tests.indexer.plan.test_forecast import CONFIG, SPEEDS, WORK, stages

ONE = replace(CONFIG, targets=(TargetSet("a", Path("a.jsonl"), scored=0.1),))
TWO = replace(CONFIG, targets=(*ONE.targets, replace(ONE.targets[0], name="b")))
ASKED = replace(WORK, set_tokens=40.0)


def test_without_sets_there_is_no_stage():
    assert SETS not in stages()
    assert SETS in stages(ASKED, config=ONE)


def test_a_second_set_costs_what_the_first_does_but_for_its_texts():
    one, two = (sets.seconds(replace(ASKED, set_tokens=0), SPEEDS, of) for of in (ONE, TWO))
    assert two == pytest.approx(2 * one)
    assert sets.disk(ASKED, TWO) == 2 * sets.disk(ASKED, ONE)
    assert sets.held(ASKED) == sets.held(replace(ASKED, n_documents=10**6))  # one gradient, whatever the corpus


def test_documents_that_are_scored():
    assert sets.scored(ASKED, ONE) == 0.1 * ASKED.n_documents + N_RANDOM
    assert sets.scored(replace(ASKED, n_documents=50), ONE) == 50
    more = replace(ONE, targets=(replace(ONE.targets[0], scored=0.5),))
    assert sets.seconds(ASKED, SPEEDS, more) > sets.seconds(ASKED, SPEEDS, ONE)
    assert sets.seconds(replace(ASKED, set_tokens=400.0), SPEEDS, ONE) > sets.seconds(ASKED, SPEEDS, ONE)
