"""What is measured on stands for all: whole batches of the pass, prompts from short to long."""

from dataclasses import replace

from attribution.passes.batches import Row, plan_batches
from attribution.passes.preference import Preference
from indexer.plan.sample import BATCHES, SHORTEST, evenly, limited, sample


def test_a_sample_has_the_padding_of_the_whole_pass():
    rows = [Row(tuple(range(3 + i % 90))) for i in range(2000)]
    some = sample(rows)
    planned = [sorted(len(rows[i]) for i in batch) for batch in plan_batches(rows)]
    found = [sorted(len(some[i]) for i in batch) for batch in plan_batches(some)]
    assert len(some) < len(rows) / 5
    assert sum(map(len, found)) == len(some)
    padded = [max(batch) * len(batch) / sum(batch) for batch in (found)]
    whole = sum(max(batch) * len(batch) for batch in planned) / sum(map(sum, planned))
    assert sum(padded) / len(padded) < 1.1 * whole
    mean = sum(map(len, rows)) / len(rows)
    assert abs(sum(map(len, some)) / len(some) - mean) < 0.35 * mean


def test_few_documents_are_all_measured():
    rows = [Row((1, 2, 3)), Row((1, 2))]
    assert sorted(map(len, sample(rows))) == [2, 3]


def test_evenly_takes_the_middles_of_equal_stretches():
    assert evenly(range(100), BATCHES) == [12, 37, 62, 87]
    assert evenly("ab", 5) == ["a", "b"]
    assert evenly(range(9), 1) == [4]


def test_input_43_of_long_documents_no_more_is_measured_than_some_tokens():
    rows = [Row(tuple(range(n))) for n in (400, 500, 600, 700)]
    assert limited(rows, 9999) == rows
    assert [len(row) for row in limited(rows, 1300)] == [600, 700]
    assert [len(row) for row in limited(rows, 100)] == [100]
    assert [len(row) for row in limited(rows, 1)] == [SHORTEST]


def test_of_a_document_in_windows_that_is_too_long_the_first_are_measured():
    row = Row(tuple(range(30, 330)), learned=((5, 290),), windows=(120, 120, 60))
    assert limited([row], 300) == [row]
    assert limited([row], 250) == [Row(row.ids[:240], windows=(120, 120))]
    assert limited([row], 130) == [Row(row.ids[:120])]
    assert limited([row], 40) == [Row(row.ids[:40])]
    pair = replace(row, windows=(150, 150), preference=Preference(0.1, 0.0))
    assert limited([pair], 40) == [pair]
