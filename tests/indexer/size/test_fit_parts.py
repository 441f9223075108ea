"""Parts of a fit in their journal: a signal costs the part in work, a changed file is not taken, nothing stays."""

import os
import signal
import time

import pytest
import torch

from attribution.curvature import fit
from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from attribution.errors import TryAgain
from attribution.model.tracked import track
from indexer.journal.lock import lock, stop_on_signal
from indexer.journal.stages import finished
from indexer.size.fit_parts import FitParts
from tests.attribution import tiny

DOCUMENTS = tiny.tiny_documents(200)


@pytest.fixture
def tracked(monkeypatch):
    monkeypatch.setattr(fit, "of_part", lambda *_: 1e7)
    return track(tiny.tiny_model(dtype=torch.float32))


def fitted(tracked, folder, **named) -> str:
    fit_factors(tracked, DOCUMENTS, folder, n_documents=200, n_eigenvalues=200, seed=3, **named)
    return load_factors(folder, tracked).content_hash


def test_input_42_sigterm_in_the_eigenvalues_keeps_what_was_before(tracked, tmp_path):
    parts, told = FitParts(tmp_path / "fitting-s", "k"), []

    def stop(share, what):
        told.append(what)
        if what.startswith("eigenvalues") and "eigenvalues 1 of" in str(finished(parts.folder)):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(TryAgain, match="stopped by SIGTERM"), lock(tmp_path), stop_on_signal():
        fitted(tracked, tmp_path / "two", kept=parts, tick=stop)
    assert told[-1].startswith("eigenvalues")
    left = [str(part.part) for part in finished(parts.folder)]
    assert left[-1].startswith("eigenvalues 1 of")
    again = []
    two = fitted(tracked, tmp_path / "two", kept=parts, tick=lambda share, what: again.append((share, what)))
    assert two == fitted(tracked, tmp_path / "one")
    assert sum(share for share, _ in again) == pytest.approx(100)
    assert not any(what.startswith(("covariances: row 1 ", "eigenvectors: layer 1 ")) for _, what in again)
    parts.remove()
    assert not parts.folder.exists()


def test_a_part_that_is_not_as_it_was_written_is_fitted_again(tmp_path):
    parts = FitParts(tmp_path, "k")
    place = parts.make("a", lambda folder: (folder / "x").write_text("1"))
    assert parts.find("a") == place
    assert parts.find("b") is None
    assert FitParts(tmp_path, "other").find("a") is None
    (place / "x").write_text("changed")
    assert parts.find("a") is None
    parts.make("a", lambda folder: (folder / "x").write_text("2"))
    assert (parts.find("a") / "x").read_text() == "2"
    parts.drop("a")
    assert parts.find("a") is None
    assert finished(tmp_path) == []


def test_input_47_the_seconds_of_parts_are_kept_when_they_are_dropped(tmp_path):
    parts = FitParts(tmp_path, "k")
    for name in "abc":
        parts.make(name, lambda folder: time.sleep(0.01))
    whole = parts.seconds
    assert whole == pytest.approx(sum(part.seconds for part in finished(tmp_path))) and whole >= 0.03
    parts.drop("a")
    parts.drop("b")
    assert FitParts(tmp_path, "k").seconds == pytest.approx(whole)
    assert FitParts(tmp_path, "other").seconds == 0
