"""Where the corpus pass is cut: by what its documents cost, and as it always was where that is little."""

from types import SimpleNamespace

import pytest
import torch

from attribution.curvature.work import lengths, pass_work
from attribution.model.tracked import track
from attribution.passes.batches import Row
from indexer.journal.stages import stage
from indexer.size import corpus_pass
from indexer.size.corpus_pass import cuts, parts_before
from tests.attribution import tiny


def member(rows):
    tracked = track(tiny.tiny_model(dtype=torch.float32))
    return SimpleNamespace(tracked=tracked, loaded=tracked.loaded, own_rows=rows, n_documents=len(rows))


def test_few_cheap_documents_are_cut_as_they_always_were(monkeypatch):
    monkeypatch.setattr(corpus_pass, "DOCUMENTS", 4)
    assert cuts(member([Row((1, 2, 3))] * 10)) == [0, 4, 8]


def test_input_42_a_small_corpus_of_long_documents_has_parts(monkeypatch):
    of = member([Row((1,) * n) for n in (2, 2, 2, 2, 16, 16, 2, 2)])
    total = pass_work(of.tracked, lengths(of.own_rows)).sum()
    monkeypatch.setattr(corpus_pass, "of_part", lambda *_: total / 3)
    values = cuts(of)
    assert [value.split("-")[0] for value in values[1:]] == [value.split("-")[1] for value in values[:-1]]
    assert values[0].startswith("0-")
    assert values[-1].endswith("-8")
    assert len(values) == 3


@pytest.mark.parametrize("values", [[0, 4, 8], ["0-3", "3-4", 4, "8-9", "9-10"]])
def test_a_reader_finds_the_parts_however_they_were_cut(tmp_path, monkeypatch, values):
    monkeypatch.setattr(corpus_pass, "DOCUMENTS", 4)
    fitted = SimpleNamespace(member=SimpleNamespace(n_documents=10))
    monkeypatch.setattr(corpus_pass, "_stage", lambda _: "corpus-s")
    monkeypatch.setattr(corpus_pass, "_key", lambda _: "k")
    stage(tmp_path, "corpus-s", "k", values, lambda part: None)
    assert [part.part for part in parts_before(tmp_path, fitted)] == values
