"""Thresholds and citations from stored numbers: no model in this file."""

import numpy as np
import pytest

from attribution.errors import BadInput
from attribution.prompt.context.citations import PRESETS, CitationSettings, cite, cite_cues, kept_cues, sensitive
from attribution.prompt.text.parts import Part

PARTS = (
    Part(0, "system", "", 0, 1),
    *[
        part
        for d in range(5)
        for part in (
            Part(1 + 2 * d, "scaffold", "", 1 + 2 * d, 2 + 2 * d, owner=2 + 2 * d),
            Part(2 + 2 * d, "document", f"d{d}", 2 + 2 * d, 3 + 2 * d),
        )
    ],
)
OF_TOKEN = (-1, *range(11))  # bos, system, then header and document in turn


def cues(*rows):
    """CCI [A, P]: one value for each of the five documents; headers and system get a large one."""
    cci = np.full((len(rows), 12), 100.0)
    cci[:, 3::2] = rows
    return cci


def cited(cti, cci, sentences, settings):
    return cite(np.array(cti), cci, OF_TOKEN, PARTS, sentences, settings)


def test_headers_scaffold_and_system_never_count():
    citations = cited(
        [5.0, 0.0, 0.0], cues(*[[1, 0, 0, 0, 3.0]] * 3), [0, 0, 0], CitationSettings(False, "norm", 1.0, 2)
    )
    assert [(c.part, c.score) for c in citations] == [(10, 0.75), (2, 0.25)]


def test_at_most_three_and_each_sentence_its_own():
    cci = cues([1, 2, 3, 4, 5.0], [5, 0, 0, 0, 0.0])
    citations = cited([5.0, 5.0], cci, [0, 1], CitationSettings(False, "norm", 0.0, 5))
    assert [(c.sentence, c.part) for c in citations] == [(0, 10), (0, 8), (0, 6), (1, 2)]
    assert sum(c.score for c in citations[:3]) < 1


def test_only_sensitive_tokens_speak():
    cci = cues([1, 0, 0, 0, 0.0], [0, 0, 0, 0, 1.0])
    settings = CitationSettings(False, "norm", 0.5, 0)
    assert [c.part for c in cited([5.0, 1.0], cci, [0, 0], settings)] == [2]
    assert [c.part for c in cited([1.0, 5.0], cci, [0, 0], settings)] == [10]


def test_nothing_to_cite():
    some = PRESETS["paper"]
    assert cited([0.0, 0.0], cues([1.0] * 5, [1.0] * 5), [0, 0], some) == ()
    assert cited([1.0], cues([0.0] * 5), [0], some) == ()
    assert cited([1.0], cues([-1.0, -2, -3, -4, -5]), [0], some) == ()
    assert cite(np.ones(1), cues([1.0] * 5), (-1,) * 12, PARTS, [0], some) == ()


def test_a_lower_threshold_than_was_computed_is_said():
    cci = cues([1.0] * 5, [1.0] * 5)
    cci[1] = np.nan
    assert cited([5.0, 4.0], cci, [0, 0], CitationSettings(False, "norm", 0.5, 1))
    with pytest.raises(BadInput, match="CCI for answer token 1"):
        cited([5.0, 4.0], cci, [0, 0], CitationSettings(False, "norm", -1.0, 1))


@pytest.mark.parametrize(
    ("k", "kept"),
    [
        (2, [0, 0, 0, 8, 10]),
        (9, [0, 1, 2, 8, 10]),
        (0, [0, 0, 0, 8, 10]),  # the mean is 4.2
        (-20, [0, 0, 0, 8, 10]),  # at least 10 - 0.2 * 10
        (-19, [0, 0, 0, 0, 10]),
        (-100, [0, 1, 2, 8, 10]),
    ],
)
def test_the_cue_filter(k, kept):
    values = np.array([0.0, 1, 2, 8, 10])
    assert kept_cues(values, CitationSettings(False, "norm", 1.0, k)).tolist() == kept


def test_sensitive_tokens():
    assert sensitive(np.array([0.0, 0.0, 9.0]), 1.0) == (2,)
    assert sensitive(np.array([3.0]), 1.0) == (0,)
    assert sensitive(np.array([0.0, 0.0]), 1.0) == ()


def test_tokens_that_were_not_measured_are_not_sensitive():
    assert sensitive(np.array([np.nan, 2.0, 0.0]), 0.0) == (1,)
    assert sensitive(np.array([np.nan, np.nan]), 1.0) == ()
    assert sensitive(np.array([0.4]), 1.0) == (0,)
    assert sensitive(np.array([0.4, 3.0]), 1.0) == (1,)


def test_readers_cite_from_the_tokens_that_speak():
    cci = cues([1, 2, 3, 4, 5.0], [5, 0, 0, 0, 0.0])
    settings = CitationSettings(False, "norm", 0.0, -50)
    inside = [i for i, part in enumerate(OF_TOKEN) if part > 0 and part % 2 == 0]
    spoken = {k: cci[k, inside] for k in (0, 1)}
    owner = [OF_TOKEN[i] for i in inside]
    assert cite_cues(spoken, owner, [0, 1], settings) == cited([5.0, 5.0], cci, [0, 1], settings)
    everything = cite_cues({0: cci[0, inside]}, owner, [0], CitationSettings(False, "norm", 0.0, -100), most=9)
    assert len(everything) == 5 and abs(sum(c.score for c in everything) - 1) < 1e-12
    assert kept_cues(np.empty(0), settings).size == 0
