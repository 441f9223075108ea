"""Thresholds and citations from stored numbers: no model in this file."""

from dataclasses import replace

import pytest
import torch

from attribution.errors import BadInput
from attribution.prompt.citations import PRESETS, Settings, cite, kept_cues
from attribution.prompt.mirage import Mirage, sensitive
from attribution.prompt.parts import Part

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


def found(cti, cues):
    """Cues: for each answer token, one value for each of the five documents; headers and system get a large one."""
    cci = torch.full((len(cti), 12), 100.0)
    cci[:, 3::2] = torch.tensor(cues)
    kl = torch.tensor(cti, dtype=torch.float64)
    return Mirage(kl, kl.flip(0), (0,) * len(cti), cci, -cci)


def test_headers_scaffold_and_system_never_count():
    mirage = found([5.0, 0.0, 0.0], [[1, 0, 0, 0, 3.0]] * 3)
    citations = cite(mirage, OF_TOKEN, PARTS, [0, 0, 0], Settings(False, "norm", 1.0, 2))
    assert [(c.part, c.score) for c in citations] == [(10, 0.75), (2, 0.25)]


def test_at_most_three_and_each_sentence_its_own():
    cues = [[1, 2, 3, 4, 5.0], [5, 0, 0, 0, 0.0]]
    citations = cite(found([5.0, 5.0], cues), OF_TOKEN, PARTS, [0, 1], Settings(False, "norm", 0.0, 5))
    assert [(c.sentence, c.part) for c in citations] == [(0, 10), (0, 8), (0, 6), (1, 2)]
    assert sum(c.score for c in citations[:3]) < 1


def test_only_sensitive_tokens_speak_and_the_direction_can_be_turned():
    cues = [[1, 0, 0, 0, 0.0], [0, 0, 0, 0, 1.0]]
    settings = Settings(False, "norm", 0.5, 0)
    assert [c.part for c in cite(found([5.0, 1.0], cues), OF_TOKEN, PARTS, [0, 0], settings)] == [2]
    turned = replace(settings, reversed_kl=True)
    assert [c.part for c in cite(found([5.0, 1.0], cues), OF_TOKEN, PARTS, [0, 0], turned)] == [10]


def test_nothing_to_cite():
    assert cite(found([0.0, 0.0], [[1.0] * 5] * 2), OF_TOKEN, PARTS, [0, 0]) == ()
    assert cite(found([1.0], [[0.0] * 5]), OF_TOKEN, PARTS, [0]) == ()
    assert cite(found([1.0], [[1.0] * 5]), (-1,) * 12, PARTS, [0]) == ()
    negative = replace(PRESETS["paper"], cue="grad_x_input")
    assert cite(found([1.0], [[1.0, 2, 3, 4, 5]]), OF_TOKEN, PARTS, [0], negative) == ()


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
    values = torch.tensor([0.0, 1, 2, 8, 10])
    assert kept_cues(values, Settings(False, "norm", 1.0, k)).tolist() == kept


def test_sensitive_tokens():
    assert sensitive(torch.tensor([0.0, 0.0, 9.0]), 1.0) == (2,)
    assert sensitive(torch.tensor([3.0]), 1.0) == (0,)
    assert sensitive(torch.tensor([0.0, 0.0]), 1.0) == ()


def test_a_lower_threshold_than_was_computed_is_said():
    mirage = found([5.0, 4.0], [[1.0] * 5] * 2)
    mirage.cci_norm[1] = float("nan")
    assert cite(mirage, OF_TOKEN, PARTS, [0, 0], Settings(False, "norm", 0.5, 1))
    with pytest.raises(BadInput, match="CCI for answer token 1"):
        cite(mirage, OF_TOKEN, PARTS, [0, 0], Settings(False, "norm", -1.0, 1))
