"""Linear layers: kronfluence's own fit, and the same from layers that are fitted one group after the other."""

import copy
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from attribution.curvature import fit_eigenvalues, fit_plan
from attribution.curvature.fit import draw, fit_factors
from attribution.curvature.fit_plan import FitPlan, groups
from attribution.curvature.kronfluence import windows
from attribution.curvature.store import file_hash, load_factors
from attribution.errors import BadInput
from attribution.loading.wide_head import widen_head
from attribution.model.head import sampled
from attribution.model.tracked import track
from attribution.passes.batches import pad
from attribution.passes.capture import capture
from attribution.schedule import Schedule
from tests.attribution import tiny, tiny_pairs
from tests.attribution.architectures import opened_model
from tests.attribution.curvature.kronfluence_oracle import Oracle
from tests.attribution.curvature.test_fit import OPT, _model

N = 30
KINDS = ["plain", "windows", "pairs", "flat pairs", "bias", "Conv1D", "soft cap", "experts", "bfloat16"]


def of_kind(kind):
    """A model, and documents that end at different lengths in batches of several."""
    if kind.endswith("pairs"):
        config = tiny.made("opt", **OPT) if kind.startswith("flat") else tiny.CONFIGS["llama"]
        tracked, reference = (track(_model(config, seed), embedding=False) for seed in (0, 1))
        return tracked, tiny_pairs.pairs(tracked, reference, N)
    if kind == "experts":
        loaded = opened_model("Mixtral")
        loaded.model.float()
        return track(loaded, embedding=False), tiny.tiny_documents(N, plain=True)
    name = {"bias": "llama-untied", "Conv1D": "gpt2", "soft cap": "gemma2"}.get(kind, "llama")
    loaded = tiny.tiny_model(name, dtype=torch.bfloat16 if kind == "bfloat16" else torch.float32)
    widen_head(loaded.model)
    return track(loaded, embedding=False), tiny.tiny_documents(N, plain=kind != "windows")


@pytest.mark.parametrize("kind", KINDS)
def test_the_factors_are_those_that_kronfluence_fits_by_itself(kind, tmp_path):
    tracked, documents = of_kind(kind)
    theirs = Oracle(tracked, documents, tmp_path, N, seed=5).factors.linear
    fit_factors(tracked, documents, tmp_path / "ours", n_documents=N, n_eigenvalues=N, seed=5)
    ours = load_factors(tmp_path / "ours", tracked).linear
    assert kind == "experts" or all(one.lam.max() > 0 for one in ours)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one.Q_A, other.Q_A)
        assert torch.equal(one.Q_S, other.Q_S)
        torch.testing.assert_close(one.lam, other.lam, rtol=1e-5, atol=1e-6 * float(other.lam.max()))


def test_eigenvalues_are_those_of_gradients_in_float64(tmp_path):
    """The labels, drawn again; each document's gradient by autograd, turned by dense products."""
    tracked, documents = of_kind("windows")
    fit_factors(tracked, documents, tmp_path, n_documents=N, n_eigenvalues=N, seed=5)
    generator = torch.Generator().manual_seed(5)
    wide = track(replace(tracked.loaded, model=copy.deepcopy(tracked.loaded.model).double()), embedding=False)
    found = load_factors(tmp_path, tracked).linear
    wanted = [torch.zeros(of.n_out, of.n_in, dtype=torch.float64) for of in tracked.linear]
    sample = draw(documents, N, 5)
    for row in windows(sample):  # the pass of the covariances
        _drawn(tracked, row, generator)
    for row in windows(draw(sample, N, 5)):
        labels = _drawn(tracked, row, generator)
        gradient = tiny.gradient(wide, lambda moving, row=row, y=labels: -tiny.token_logp(wide, moving, row, y).sum())
        for i, (g, basis) in enumerate(zip(gradient, found, strict=True)):
            wanted[i] += (basis.Q_S.double().T @ g @ basis.Q_A.double()).square() / N
    for basis, of in zip(found, wanted, strict=True):
        torch.testing.assert_close(basis.lam.double(), of, rtol=1e-4, atol=1e-6 * float(of.max()))


def _drawn(tracked, row, generator):
    batch = pad([row], [0])
    with torch.no_grad():
        logits = tracked.loaded.model(batch.ids).logits[batch.is_target]
    return sampled(logits, None, generator)


def test_layers_in_groups_have_the_factors_of_all_at_once(tmp_path, monkeypatch):
    tracked, documents = of_kind("windows")
    assert not any(tracked.linear[i].reads_on for i in (3, 4, 7))
    plan = FitPlan(64, (range(4), range(4, 7), range(7, 14)), (range(3), range(3, 14)))
    monkeypatch.setattr("attribution.curvature.fit.plan_fit", lambda _: plan)
    told = []
    fit_factors(tracked, documents, tmp_path / "parted", n_documents=N, tick=lambda *of: told.append(of))
    assert sum(share for share, _ in told) == pytest.approx(100)
    assert {what.partition(":")[0] for _, what in told} == {
        *(f"covariances {i} of 3" for i in (1, 2, 3)),
        "eigenvectors",
        *(f"eigenvalues {i} of 2" for i in (1, 2)),
    }
    whole = replace(plan, covariances=(range(14),), eigenvalues=(range(14),))
    monkeypatch.setattr("attribution.curvature.fit.plan_fit", lambda _: whole)
    fit_factors(tracked, documents, tmp_path / "whole", n_documents=N)
    one, other = (load_factors(tmp_path / name, tracked) for name in ("parted", "whole"))
    assert one.content_hash == other.content_hash


def test_little_memory_makes_groups_and_small_batches_and_no_other_numbers(tmp_path):
    tracked, documents = of_kind("plain")
    little = replace(tracked, loaded=replace(tracked.loaded, schedule=Schedule(memory=1, cached=8)))
    for of, name in ((tracked, "much"), (little, "little")):
        fit_factors(of, documents, tmp_path / name, n_documents=N)
    for one, other in zip(*(load_factors(tmp_path / name, tracked).linear for name in ("much", "little")), strict=True):
        torch.testing.assert_close(one.lam.mean(), other.lam.mean(), rtol=1e-5, atol=0)
        g = torch.randn(one.lam.shape)
        solved = [of.Q_S @ ((of.Q_S.T @ g @ of.Q_A) / (of.lam + 0.1 * of.lam.mean())) @ of.Q_A.T for of in (one, other)]
        torch.testing.assert_close(*solved, rtol=1e-4, atol=1e-5 * float(solved[0].abs().max()))


@pytest.mark.parametrize("most", [1, 10, 100, 1000])
def test_groups_fit_and_never_part_those_that_read_the_same(most):
    layers = track(tiny.tiny_model("llama")).linear
    sizes = [1 + i for i in range(len(layers))]
    found = groups(layers, sizes, most)
    assert [i for of in found for i in of] == list(range(len(layers)))
    assert not any(layers[of.start].reads_on for of in found)
    for of in found:
        blocks = sum(not layers[i].reads_on for i in of)
        assert blocks == 1 or sum(sizes[i] for i in of) <= most


def test_layers_that_read_the_same_share_their_basis_in_memory_and_on_disk(tmp_path):
    tracked, documents = of_kind("plain")
    fit_factors(tracked, documents, tmp_path, n_documents=N)
    found = load_factors(tmp_path, tracked).linear
    for layer, basis in zip(tracked.linear, found, strict=True):
        assert basis.Q_A is found[layer.reads].Q_A
    said = json.loads((tmp_path / "factors.json").read_text())["reads"]
    assert said["model.layers.1.self_attn.v_proj"] == "model.layers.1.self_attn.q_proj"
    alone = track(tracked.loaded, ["*.1.self_attn.v_proj"], embedding=False)
    (basis,) = load_factors(tmp_path, alone).linear
    assert torch.equal(basis.Q_A, found[7].Q_A)


def test_without_memory_the_batch_is_halved_and_the_fit_goes_on(tmp_path, monkeypatch):
    tracked, documents = of_kind("plain")
    fit_factors(tracked, documents, tmp_path / "one", n_documents=N)

    def little(some, batch, generator=None):
        if batch.ids.numel() > 40:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return capture(some, batch, generator)

    monkeypatch.setattr(fit_eigenvalues, "capture", little)
    told = []
    fit_factors(tracked, documents, tmp_path / "two", n_documents=N, tick=lambda *of: told.append(of))
    assert sum(share for share, _ in told) == pytest.approx(100)
    assert any(what.startswith("no memory for") for _, what in told)
    one, other = (load_factors(tmp_path / name, tracked).linear for name in ("one", "two"))
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a.lam, b.lam, rtol=1e-5, atol=1e-6 * float(a.lam.max()))
    monkeypatch.setattr(fit_eigenvalues, "capture", lambda *_: little(tracked, pad([documents[0]] * 40, range(40))))
    with pytest.raises(BadInput, match="expected memory for documents of up to"):
        fit_factors(tracked, documents, tmp_path / "three", n_documents=N)


def test_the_longest_rows_are_tried_before_all_others_where_they_need_much(tmp_path, monkeypatch):
    tracked, documents = of_kind("plain")
    tried = []

    def little(_some, batch):
        tried.append(batch.ids.shape)
        if batch.ids.numel() > 40:
            raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(fit_plan, "capture", little)
    monkeypatch.setattr(fit_plan, "FELT", 0.0)
    monkeypatch.setattr(Schedule, "share", lambda self, part: int(part * self.memory))
    told = []
    fit_factors(tracked, documents, tmp_path, n_documents=N, tick=lambda *of: told.append(of))
    assert [n for n, _ in tried[1:]] == sorted([n for n, _ in tried[1:]], reverse=True) != []
    assert tried[0].numel() > 40 >= tried[-1].numel()
    assert told[0][1].startswith("no memory for")


def test_a_folder_of_an_older_build_is_read(tmp_path):
    """There every layer had a Q_A of its own, and Λ was a sum."""
    tracked, documents = of_kind("plain")
    fit_factors(tracked, documents, tmp_path, n_documents=N)
    new = load_factors(tmp_path, tracked).linear
    n = torch.tensor([64])  # a power of two: nothing is rounded
    names = [layer.name for layer in tracked.linear]
    files = {
        "activation_eigenvectors": {name: of.Q_A.clone() for name, of in zip(names, new, strict=True)},
        "lambda_matrix": {name: of.lam * n for name, of in zip(names, new, strict=True)},
        "num_lambda_processed": {name: n.clone() for name in names},
    }
    manifest = json.loads((tmp_path / "factors.json").read_text())
    del manifest["reads"]
    for kind, tensors in files.items():
        path = tmp_path / f"{kind}.safetensors"
        path.unlink()  # what was read is pages of it
        save_file(tensors, path)
        manifest["files"][path.name] = file_hash(path)
    (tmp_path / "factors.json").write_text(json.dumps(manifest))
    for one, other in zip(load_factors(tmp_path, tracked).linear, new, strict=True):
        assert torch.equal(one.lam, other.lam)
        assert torch.equal(one.Q_A, other.Q_A)
        assert torch.equal(one.Q_S, other.Q_S)
