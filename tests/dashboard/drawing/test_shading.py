import math
from dataclasses import replace

import pytest

from dashboard.database.records import Token
from dashboard.drawing.shading import available, robust_top, shade_answer, shade_by_document

NAN = float("nan")
TOKEN = Token(0, " a", 0, 2, math.log(0.5), "", NAN, None, None, None, None, None)
TOKENS = [TOKEN, replace(TOKEN, position=1, logp=NAN), replace(TOKEN, position=2, bits_nothing=8.0, bits_full=2.0)]


def test_only_what_is_stored_is_offered() -> None:
    assert available(TOKENS, {0: 0.1}) == ["strength", "surprise", "confidence", "prompt", "plain"]
    assert available([TOKENS[1]], {}) == ["plain"]


def test_strength_is_unknown_where_nothing_was_kept() -> None:
    shading = shade_answer("strength", TOKENS, {0: 0.02, 2: 0.01})
    assert shading.amounts == [1.0, None, 0.5]
    assert shading.words[0] == "strongest document +0.0200 nats"
    assert shading.legend is not None and shading.legend.high == "0.0200"


def test_surprise_is_in_bits() -> None:
    shading = shade_answer("surprise", TOKENS, {})
    assert shading.words[0] == "surprise 1.00 bits"
    assert shading.amounts == [0.25, None, 0.25]


def test_prompt_share_is_shown_where_it_was_measured() -> None:
    shading = shade_answer("prompt", TOKENS, {})
    assert shading.amounts == [None, None, pytest.approx(0.75)]


def test_a_document_helps_and_hurts() -> None:
    shading = shade_by_document(TOKENS, {0: 0.02, 2: -0.01})
    assert shading.amounts == [1.0, None, -0.5]
    assert shading.signs == ["+", "", "−"]
    assert shading.words[1] == "not kept for this token"
    assert shading.legend is not None and shading.legend.signed


def test_one_outlier_does_not_bleach_the_rest() -> None:
    assert robust_top([1.0] * 99 + [1000.0]) == 3.0
    assert robust_top([]) == 1.0
    assert robust_top([0.0]) == 1.0
