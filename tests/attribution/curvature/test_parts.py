"""A fit in parts, interrupted anywhere, is the fit in one go, bit for bit."""

import gc
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.curvature import fit
from attribution.curvature.fit import draw, fit_factors
from attribution.curvature.fit_linear import eigenvectors
from attribution.curvature.parts import Scratch
from attribution.curvature.store import load_factors
from attribution.curvature.work import SECONDS, SPEED, cut, fit_work, of_part
from attribution.model.tracked import track
from tests.attribution import tiny

DOCUMENTS = tiny.tiny_documents(950)
KINDS = ("covariances", "eigenvectors", "eigenvalues", "embedding")


class Stopped(Exception):
    """What ends a fit in its middle."""


class Folders(Scratch):
    """Parts that are whole or absent, and the names of those that were computed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        object.__setattr__(self, "made", [])

    def make(self, name, compute):
        self.made.append(name)
        (scratch := self.folder / "scratch").mkdir()
        try:
            compute(scratch)
            return scratch.rename(self.folder / name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture
def three_parts(monkeypatch):
    """Of every pass."""
    real = fit.fit_work

    def work(*of):
        made = real(*of)
        scaled = (each / max(each.sum(), 1) * 3 for each in vars(made).values())
        return type(made)(*scaled)

    monkeypatch.setattr(fit, "fit_work", work)
    monkeypatch.setattr(fit, "of_part", lambda _device, state: 1.0001 if state else 1e7)


@pytest.fixture(scope="module", autouse=True)
def little_garbage():
    """kronfluence collects it after every part."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(params=["llama"])
def tracked(request):
    return track(tiny.tiny_model(request.param, dtype=torch.float32))


def fitted(tracked, folder, **named) -> str:
    fit_factors(tracked, DOCUMENTS, folder, n_documents=900, n_eigenvalues=400, seed=3, **named)
    return load_factors(folder, tracked).content_hash


@pytest.mark.parametrize(
    ("tracked", "kind"),
    [*(("llama", kind) for kind in KINDS), ("gpt2", "eigenvalues"), ("llama-untied", "embedding")],
    indirect=["tracked"],
)
def test_input_42_a_fit_that_is_stopped_in_part_2_of_3_goes_on_to_the_same_bits(tracked, tmp_path, three_parts, kind):
    in_one_go = fitted(tracked, tmp_path / "one")
    (tmp_path / "kept").mkdir()
    kept, said = Folders(tmp_path / "kept"), []

    def stop(share, what):
        said.append(what)
        if kept.made[-1].startswith(f"{kind} 2 of 3"):
            raise Stopped

    with pytest.raises(Stopped):
        fitted(tracked, tmp_path / "two", kept=kept, tick=stop)
    assert said[-1].startswith(kind)
    before = list(kept.made)
    shares = []
    assert fitted(tracked, tmp_path / "two", kept=kept, tick=lambda share, what: shares.append(share)) == in_one_go
    assert sum(shares) == pytest.approx(100)
    again = kept.made[len(before) :]
    assert again[0] == before[-1]
    assert set(again).isdisjoint(before[:-1])
    assert len({*before, *again}) == 13
    assert not (tmp_path / "two" / "factors.json.partial").exists()


def test_what_is_kept_of_a_fit_is_the_sums_of_one_part_and_the_eigenvectors(tracked, tmp_path, three_parts):
    (tmp_path / "kept").mkdir()
    fitted(tracked, tmp_path / "f", kept=Folders(tmp_path / "kept"))
    left = sorted(each.name for each in (tmp_path / "kept").iterdir())
    of = "900 documents, layers"
    vectors = [f"eigenvectors {i} of 3, {of} 0 to 14" for i in (1, 2, 3)]
    sums = [f"eigenvalues 3 of 3, {of} 0 to 14", f"embedding 3 of 3, {of} 14 to 15"]
    assert left == sorted([*vectors, *sums, "plan, 900 documents"])


def test_a_short_fit_keeps_no_parts(tracked, tmp_path):
    (tmp_path / "kept").mkdir()
    kept = Folders(tmp_path / "kept")
    fitted(tracked, tmp_path / "f", kept=kept)
    assert kept.made == []


def test_documents_without_a_finite_gradient_are_looked_for_in_parts_of_their_own(tmp_path, three_parts):
    tracked = track(tiny.tiny_model("llama-untied", dtype=torch.float32))
    with torch.no_grad():
        tracked.loaded.model.get_input_embeddings().weight[10] = math.inf
    (tmp_path / "kept").mkdir()
    kept = Folders(tmp_path / "kept")
    good = [document for document in draw(DOCUMENTS, 900, 3) if 10 not in document.ids]
    assert fitted(tracked, tmp_path / "f", kept=kept) == fitted(tracked, tmp_path / "one")
    assert kept.made[-1] == f"embedding 3 of 3, {len(good)} documents, layers 14 to 16"
    assert any(name.startswith("gradients 1 of") for name in kept.made)


def test_eigenvectors_are_those_of_the_mean():
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    Q, values = eigenvectors(x.T @ x, torch.tensor([40]), torch.device("cpu"))
    torch.testing.assert_close(Q @ torch.diag(values) @ Q.T, x.T @ x / 40)
    torch.testing.assert_close(Q.T @ Q, torch.eye(6, dtype=torch.float64))


@pytest.mark.parametrize(("n", "border", "most"), [(10, 1, 3.0), (100, 32, 10.0), (7, 32, 1.0), (50, 3, 1e9)])
def test_a_cut_covers_every_item_once_and_begins_at_borders(n, border, most):
    costs = np.linspace(1, 2, n)
    parts = cut(costs, range(0, n, border), most)
    assert [i for part in parts for i in part] == list(range(n))
    assert all(part.start % border == 0 for part in parts)
    largest = max(costs[part.start : part.stop].sum() for part in parts)
    assert largest <= max(most, 1) + 2 * costs[:border].sum() + costs.max()


def test_work_grows_with_tokens_and_a_part_takes_some_minutes_whatever_it_leaves():
    tracked = track(tiny.tiny_model())
    one, two = np.ones(1), np.ones(1) * 2
    less, more = (fit_work(tracked, of, of, of) for of in (one, two))
    assert more.covariances == 2 * less.covariances
    assert more.embedding == 2 * less.embedding
    assert less.eigenvalues < more.eigenvalues < 2 * less.eigenvalues
    assert of_part("cpu", 0) == SPEED["cpu"] * SECONDS
    assert of_part("cpu", 10**11) > of_part("cpu", 0)
