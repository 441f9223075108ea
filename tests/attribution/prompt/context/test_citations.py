"""Thresholds and citations from stored numbers: no model in this file."""

from dataclasses import replace

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


def as_mirage_py(cti, cci, owner, sentences, k, deviations):
    """mirage_cite and its caller in the authors' mirage.py (Betswish/MIRAGE), over the tokens of documents."""
    threshold = np.mean(cti) + deviations * np.std(cti)
    found = {}
    for sentence in sorted(set(sentences)):
        sums = np.zeros(len(owner))
        for i in np.argsort(-cti, kind="stable"):  # inseq writes them by falling CTI
            if sentences[i] != sentence:
                continue
            if cti[i] >= threshold:
                values = cci[i].copy()
                low = np.mean(values) if k == 0 else np.sort(values)[-k] if k > 0 else None
                low = (1 + k / 100) * np.max(values) - k / 100 * np.min(values) if k < 0 else low
                values[values < low] = 0
                sums += values
        scores = {part: sums[[each == part for each in owner]].sum() for part in sorted(set(owner))}
        best = sorted((part for part in scores if scores[part]), key=lambda part: -scores[part])[:3]
        found |= {(sentence, part): scores[part] for part in best}
    return found


@pytest.mark.parametrize("k", [-5, -60, 0, 2])
@pytest.mark.parametrize("deviations", [0.0, 1.0])
def test_the_preset_paper_is_the_authors_code(k, deviations):
    rng = np.random.default_rng(7)
    owner, sentences = [2, 2, 2, 4, 4, 6, 8, 8, 10, 10], [0, 0, 0, 0, 1, 1, 1, 2, 2]
    cti, inside = rng.exponential(size=9), rng.exponential(size=(9, 10))
    of_token = (-1, *owner)
    cci = np.concatenate([np.zeros((9, 1)), inside], axis=1)
    settings = replace(PRESETS["paper"], cues=k, cti_std=deviations)
    ours = {(c.sentence, c.part): c.score for c in cite(cti, cci, of_token, PARTS, sentences, settings)}
    theirs = as_mirage_py(cti, inside, owner, sentences, k, deviations)
    assert list(ours) == list(theirs) and len(ours) >= 2
    assert ours == pytest.approx(theirs)


def test_shares_let_every_token_speak_alike():
    cci = cues([3, 1, 0, 0, 0.0], [0, 40, 0, 0, 0.0])
    shares, sums = (
        {c.part: c.score for c in cited([1.0, 1.0], cci, [0, 0], replace(PRESETS[name], cues=5, cti_std=0.0))}
        for name in ("shares", "paper")
    )
    assert sums == {4: 41, 2: 3}
    assert shares == {4: 0.625, 2: 0.375}
