"""The dashboard's citations from stored rows equal those of the model's side."""

import numpy as np
import pytest

from attribution.prompt.context.citations import PRESETS, CitationSettings
from attribution.prompt.context.citations import cite as cite_there
from attribution.prompt.context.citations import kept_cues as kept_there
from attribution.prompt.context.citations import sensitive as sensitive_there
from attribution.prompt.text.parts import Part
from dashboard.screens.context.citing import cite, kept_cues, sensitive


@pytest.mark.parametrize("k", [-50, -5, 0, 1, 3, 99])
def test_kept_cues(k: int) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=20)
    expected = kept_there(values, CitationSettings(False, "norm", 1.0, k))
    np.testing.assert_allclose(kept_cues(values, k), expected)
    assert kept_cues(np.empty(0), k).size == 0


def test_the_rule_of_inseq() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=20)
    np.testing.assert_allclose(kept_cues(values, None), kept_there(values, PRESETS["inseq"]))
    np.testing.assert_allclose(kept_cues(values[:1], None), kept_there(values[:1], PRESETS["inseq"]))


@pytest.mark.parametrize("deviations", [-1.0, 0.0, 1.0, 3.0])
def test_sensitive_tokens(deviations: float) -> None:
    rng = np.random.default_rng(3)
    cti = rng.exponential(size=12)
    assert sensitive(cti, deviations) == list(sensitive_there(cti, deviations))
    assert sensitive(np.array([0.4]), 1.0) == [0]
    assert sensitive(np.array([np.nan, np.nan]), 1.0) == []


def test_citations_are_those_of_the_models_side() -> None:
    rng = np.random.default_rng(3)
    n_answer, n_prompt = 9, 15
    of_token = [-1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3]
    parts = [Part(i, kind, "", 0, 0) for i, kind in enumerate(["document", "document", "document", "question"])]
    cti, cci = rng.exponential(size=n_answer), rng.normal(size=(n_answer, n_prompt))
    sentences = [0, 0, 0, 1, 1, 1, 2, 2, 2]
    settings = CitationSettings(False, "norm", 0.0, -40)
    expected = cite_there(cti, cci, of_token, parts, sentences, settings)
    inside = [i for i, part in enumerate(of_token) if 0 <= part < 3]
    cues = {k: cci[k, inside] for k in sensitive(cti, 0.0)}
    live = cite(cues, [of_token[i] for i in inside], dict(enumerate(sentences)), -40)
    assert [(each.sentence, each.part) for each in live] == [(each.sentence, each.part) for each in expected]
    np.testing.assert_allclose([each.share for each in live], [each.score for each in expected])


def test_the_papers_citations_are_shares_of_summed_cues() -> None:
    cues = {0: np.array([3.0, 1.0]), 1: np.array([0.0, 40.0])}
    live = cite(cues, [5, 6], {0: 0, 1: 0}, -100, "paper")
    assert [(each.part, each.share) for each in live] == [(6, pytest.approx(41 / 44)), (5, pytest.approx(3 / 44))]
    alike = cite(cues, [5, 6], {0: 0, 1: 0}, -100, "shares")
    assert [(each.part, each.share) for each in alike] == [(6, pytest.approx(0.625)), (5, pytest.approx(0.375))]
    change = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    assert sensitive(change, 1.2, "paper") == [3, 4] and sensitive(change, 1.2, "shares") == []


def test_nothing_to_cite() -> None:
    assert cite({}, [], {}, -5) == []
