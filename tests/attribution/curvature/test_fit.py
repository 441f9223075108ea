"""Factors: their unit against the dense Gauss–Newton matrix, and their folder against everything that can be wrong."""

import copy
import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from attribution.curvature import fit, fit_linear
from attribution.curvature.blocks import to_eigenbasis
from attribution.curvature.fit import draw, fit_factors
from attribution.curvature.fit_plan import Batches
from attribution.curvature.store import load_factors
from attribution.errors import BadInput, Damaged
from attribution.loading.load import LoadedModel
from attribution.model.tracked import track
from attribution.passes.batches import Row
from tests.attribution import tiny, tiny_pairs

DOCUMENTS = [
    Row((0, 1, 2)),
    Row((0, 3, 4, 5, 6)),
    Row((0, 7, 7), first_target=2),
    Row((1, 4, 2, 6, 3), learned=((2, 3), (4, 5))),
    Row((5, 2, 7, 0, 2, 9, 2), learned=((1, 5), (6, 7)), windows=(3, 4)),
]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Each document many times: labels are sampled anew, so the mean is near the expectation."""
    folder = tmp_path_factory.mktemp("factors")
    tracked = track(tiny.tiny_model(dtype=torch.float32))
    counted = []
    fit_factors(tracked, DOCUMENTS * 400, folder, n_documents=2000, tick=lambda *told: counted.append(told))
    assert sum(share for share, _ in counted) == pytest.approx(100)
    last = {what.partition(":")[0]: what for _, what in counted}  # windows twice, documents once
    assert list(last.values()) == [
        "covariances: row 2400 of 2400",
        "eigenvectors: layer 14 of 14",
        "eigenvalues: row 2400 of 2400",
        "embedding: document 2000 of 2000",
    ]
    return tracked, folder


def dense_gauss_newton(tracked, index):
    """E over documents of Σ_t Jᵀ (diag p − p pᵀ) J, of one layer  # [n, n]"""
    layer = tracked.layers[index]
    here = tiny.parameters(tracked)
    G = torch.zeros(layer.n_out * layer.n_in, layer.n_out * layer.n_in)
    for document in DOCUMENTS:
        for row in document.rows():
            ids = torch.tensor(row.ids)

            def z(weight, ids=ids):
                return tiny.logits(tracked, here | {f"{layer.name}.weight": weight}, ids)

            jacobian = torch.autograd.functional.jacobian(z, here[f"{layer.name}.weight"]).flatten(2)  # [T, V, n]
            p = z(here[f"{layer.name}.weight"]).softmax(-1).detach()
            for t in (row.targets().nonzero()[0] - 1).tolist():
                G += jacobian[t].T @ (torch.diag(p[t]) - torch.outer(p[t], p[t])) @ jacobian[t]
    return G / len(DOCUMENTS)


@pytest.mark.parametrize("index", [0, 6, 13])
def test_lambda_is_the_diagonal_of_gauss_newton_in_the_eigenbasis(fitted, index):
    tracked, folder = fitted
    basis = load_factors(folder, tracked).linear[index]
    Q = torch.kron(basis.Q_S, basis.Q_A)
    exact = torch.diag(Q.T @ dense_gauss_newton(tracked, index) @ Q).view_as(basis.lam)
    assert float(basis.lam.sum() / exact.sum()) == pytest.approx(1, abs=0.1)
    assert torch.corrcoef(torch.stack([basis.lam.flatten(), exact.flatten()]))[0, 1] > 0.98


def test_eigenvectors_are_rotations(fitted):
    tracked, folder = fitted
    for layer, basis in zip(tracked.linear, load_factors(folder, tracked).linear, strict=True):
        g = torch.randn(layer.n_out, layer.n_in)
        torch.testing.assert_close(to_eigenbasis(g, basis.Q_A, basis.Q_S).norm(), g.norm(), rtol=1e-4, atol=0)


def test_the_same_seed_gives_the_same_factors(fitted, tmp_path):
    tracked, _ = fitted
    for name in ("one", "two"):
        fit_factors(tracked, tiny.tiny_documents(20), tmp_path / name, n_documents=15, seed=3)
    one, two = (load_factors(tmp_path / name, tracked).content_hash for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("row", [torch.inf, 3e38])
def test_a_document_without_a_finite_gradient_is_left_out(tmp_path, row):
    tracked = track(tiny.tiny_model("llama-untied", dtype=torch.float32))
    documents = tiny.tiny_documents(30)
    learned = [document for document in documents if len(document) > document.first_target]
    n_good = sum(10 not in document.ids for document in learned)
    assert 0 < n_good < len(learned)
    with torch.no_grad():
        tracked.loaded.model.get_input_embeddings().weight[10] = row
    fit_factors(tracked, documents, tmp_path)
    found = load_factors(tmp_path, tracked)
    assert all(torch.isfinite(of).all() for one in found.linear for of in (one.Q_A, one.Q_S, one.lam))
    assert torch.isfinite(found.embedding[0]).all()
    settings = json.loads((tmp_path / "factors.json").read_text())["settings"]
    assert settings["documents"] == n_good


def test_a_model_without_any_finite_gradient_is_refused(tmp_path):
    tracked = track(tiny.tiny_model("llama-untied", dtype=torch.float32))
    with torch.no_grad():
        tracked.loaded.model.get_input_embeddings().weight.fill_(torch.inf)
    with pytest.raises(BadInput, match="finite gradient, found none of 9"):
        fit_factors(tracked, tiny.tiny_documents(9), tmp_path)


def test_conv1d_layers_are_fitted(tmp_path):
    tracked = track(tiny.tiny_model("gpt2", dtype=torch.float32), embedding=False)
    fit_factors(tracked, tiny.tiny_documents(20), tmp_path)
    factors = load_factors(tmp_path, tracked)
    for layer, basis in zip(tracked.linear, factors.linear, strict=True):
        assert basis.lam.shape == (layer.n_out, layer.n_in)
    assert type(tracked.modules()[0]).__name__ == "Conv1D"  # the model itself is left as it was


@pytest.mark.parametrize("what", ["weights", "tokenizer"])
def test_factors_of_another_model_are_refused(fitted, what):
    tracked, folder = fitted
    other = replace(tracked, loaded=replace(tracked.loaded, **{f"{what}_hash": "other"}))
    with pytest.raises(BadInput, match=f"expected factors of the {what} other"):
        load_factors(folder, other)


def test_a_layer_that_was_not_fitted_is_named(fitted, tmp_path):
    tracked, _ = fitted
    fit_factors(track(tracked.loaded, ["*.mlp.*"]), tiny.tiny_documents(), tmp_path)
    with pytest.raises(BadInput, match=r"layers\.0\.self_attn\.q_proj"):
        load_factors(tmp_path, tracked)


def test_a_changed_file_is_damage(fitted, tmp_path):
    tracked, folder = fitted
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "lambda_matrix.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(Damaged, match=r"lambda_matrix"):
        load_factors(tmp_path, tracked)
    path.unlink()
    with pytest.raises(Damaged, match=r"missing or changed"):
        load_factors(tmp_path, tracked)


def test_an_unfinished_folder_is_refused(fitted, tmp_path):
    tracked, _ = fitted
    with pytest.raises(BadInput, match=r"factors\.json"):
        load_factors(tmp_path, tracked)
    (tmp_path / "factors.json").write_text("{")
    with pytest.raises(Damaged, match="JSON"):
        load_factors(tmp_path, tracked)


def test_the_manifest_says_how_it_was_fitted(fitted):
    _, folder = fitted
    settings = json.loads((folder / "factors.json").read_text())["settings"]
    assert settings == {"documents": 2000, "eigenvalues": 2000, "seed": 0, "kronfluence": "1.0.1"}
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        [
            "activation_eigenvectors.safetensors",
            "embedding_fisher.safetensors",
            "factors.json",
            "gradient_eigenvectors.safetensors",
            "lambda_matrix.safetensors",
            "num_lambda_processed.safetensors",
        ]
    )


def test_the_sample_is_shuffled_and_has_something_to_learn():
    documents = [Row((i,)) for i in range(5)] + [Row((i, i + 1)) for i in range(50)]
    drawn = draw(documents, 10, seed=0)
    assert len(drawn) == 10
    assert {document.ids[0] for document in drawn} != set(range(10))
    assert drawn == draw(documents, 10, seed=0) != draw(documents, 10, seed=1)
    with pytest.raises(BadInput, match="at least one token to learn"):
        draw(documents[:5], 10, seed=0)


@pytest.fixture
def covariances(monkeypatch):
    """What kronfluence has fitted, before it is dropped."""
    kept = {}

    def keep_covariances(*of):
        kept.update(fit_linear.covariances_of(*of))
        return kept

    monkeypatch.setattr(fit_linear, "covariances_of", fit_linear.covariances, raising=False)
    monkeypatch.setattr(fit_linear, "covariances", keep_covariances)
    return kept


def test_covariances_and_eigenvalues_are_those_of_autograd_with_masks(tmp_path, covariances):
    """kronfluence against gradients by autograd with ignored labels: no padding, no token that is not learned."""
    from attribution.model.head import sampled

    tracked = track(tiny.tiny_model(dtype=torch.float32), embedding=False)
    sample = draw(DOCUMENTS, 5, 0)
    fit_factors(tracked, DOCUMENTS, tmp_path, n_documents=5, n_eigenvalues=5)
    found = load_factors(tmp_path, tracked)

    generator = torch.Generator().manual_seed(0)
    first, second = ([row for each in of for row in each.rows()] for of in (sample, draw(sample, 5, 0)))
    inputs, deltas, _ = _by_autograd(tracked, first, generator, sampled)  # the pass of the covariances
    _, _, squares = _by_autograd(tracked, second, generator, sampled)  # the pass of the eigenvalues: labels drawn anew
    for n, (layer, basis) in enumerate(zip(tracked.linear, found.linear, strict=True)):
        A, S = covariances["activation_covariance"][layer.name], covariances["gradient_covariance"][layer.name]
        torch.testing.assert_close(A, sum(a.T @ a for a in inputs[n]), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(S, sum(d.T @ d for d in deltas[n]), rtol=1e-4, atol=1e-5)
        for Q, of in ((basis.Q_A, A), (basis.Q_S, S)):
            turned = (Q.T @ of @ Q).double()
            assert (turned - torch.diag(turned.diagonal())).abs().max() <= 1e-4 * turned.abs().max()
        expected = sum(to_eigenbasis(g, basis.Q_A, basis.Q_S) ** 2 for g in squares[n]) / len(DOCUMENTS)
        torch.testing.assert_close(basis.lam, expected, rtol=1e-4, atol=1e-5)


def _by_autograd(tracked, rows, generator, sampled):
    """Of each layer and row: inputs [T, in], output gradients [T, out], gradient [out, in]; labels are drawn once."""
    model, modules = tracked.loaded.model, tracked.modules()
    width = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full((len(rows), width), -100)
    for b, row in enumerate(rows):
        ids[b, : len(row)] = torch.tensor(row.ids)
        for t in row.targets().nonzero()[0].tolist():
            labels[b, t - 1] = row.ids[t]
    with torch.no_grad():
        drawn = sampled(model(ids).logits[labels >= 0], None, generator)
    labels[labels >= 0] = drawn
    seen = [([], [], []) for _ in modules]
    for b, row in enumerate(rows):
        a, outputs = {}, {}

        def keep(module, args, output, a=a, outputs=outputs):
            a[module], outputs[module] = args[0], output

        hooks = [module.register_forward_hook(keep) for module in modules]
        logits = model(ids[b : b + 1, : len(row)]).logits
        loss = torch.nn.functional.cross_entropy(logits[0], labels[b, : len(row)], ignore_index=-100, reduction="sum")
        of = torch.autograd.grad(loss, [x for m in modules for x in (outputs[m], m.weight)])
        for hook in hooks:
            hook.remove()
        for n, module in enumerate(modules):
            seen[n][0].append(a[module][0].detach())
            seen[n][1].append(of[2 * n][0])
            seen[n][2].append(of[2 * n + 1])
    return tuple(zip(*seen, strict=True))


@pytest.mark.parametrize("kind", ["llama", "opt"])
def test_pairs_are_fitted_as_one_gradient_with_one_drawn_preference(tmp_path, covariances, kind):
    """kronfluence against autograd in float64, which sums the two answers of a pair before it squares them."""
    config = tiny.CONFIGS.get(kind) or tiny.made("opt", **OPT)
    tracked, reference = (track(_model(config, seed)) for seed in (0, 1))
    pairs = tiny_pairs.pairs(tracked, reference, 6)
    fit_factors(tracked, pairs, tmp_path, n_documents=6, n_eigenvalues=6)
    found = load_factors(tmp_path, tracked)

    generator = torch.Generator().manual_seed(0)
    first, second = draw(pairs, 6, 0), draw(draw(pairs, 6, 0), 6, 0)
    inputs, deltas, _ = _pairs_by_autograd(tracked, first, generator)
    _, _, squares = _pairs_by_autograd(tracked, second, generator)
    for n, (layer, basis) in enumerate(zip(tracked.linear, found.linear, strict=True)):
        A, S = (covariances[f"{side}_covariance"][layer.name].double() for side in ("activation", "gradient"))
        torch.testing.assert_close(A, sum(a.T @ a for a in inputs[n]), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(S, sum(d.T @ d for d in deltas[n]), rtol=1e-3, atol=1e-5)
        expected = sum(to_eigenbasis(g, basis.Q_A.double(), basis.Q_S.double()) ** 2 for g in squares[n]) / len(pairs)
        torch.testing.assert_close(basis.lam.double(), expected, rtol=1e-3, atol=1e-6)


OPT = {"vocab_size": tiny.V, "hidden_size": tiny.H, "ffn_dim": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
OPT |= {"max_position_embeddings": tiny.CONTEXT, "word_embed_proj_dim": tiny.H, "tie_word_embeddings": False}


def _model(config, seed):
    """Of a float32 model, whose numbers float64 checks."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return LoadedModel(model, None, f"pairs-{seed}", "tokens", torch.device("cpu"))


def _drawn(pairs, generator):
    """β (y − σ(βΔ)) of each, y drawn."""
    uniform = torch.rand(len(pairs), generator=generator, dtype=torch.float64).tolist()
    return [p.preference.weight(u < p.preference.probability) for u, p in zip(uniform, pairs, strict=True)]


def _gradient_of(tracked, pair, w):
    """w (∇NLL(c) − ∇NLL(r)) in float64, by layer."""
    wide = track(replace(tracked.loaded, model=copy.deepcopy(tracked.loaded.model).double()))
    chosen, rejected = pair.rows()
    return tiny.gradient(wide, lambda m: w * (tiny.loss(wide, m, chosen) - tiny.loss(wide, m, rejected)))


def _pairs_by_autograd(tracked, pairs, generator):
    """Of each layer: inputs and output gradients of every window, and the gradient [out, in] of every pair."""
    wide = track(replace(tracked.loaded, model=copy.deepcopy(tracked.loaded.model).double()))
    modules = wide.modules()
    seen = [([], [], []) for _ in modules]
    for pair, w in zip(pairs, _drawn(pairs, generator), strict=True):
        for window, sign in zip(pair.rows(), (1, -1), strict=True):
            a, outputs = {}, {}

            def keep(module, args, output, a=a, outputs=outputs):
                a[module], outputs[module] = args[0], output

            hooks = [module.register_forward_hook(keep) for module in modules]
            loss = sign * w * tiny.loss(wide, {}, window)
            of = torch.autograd.grad(loss, [outputs[m] for m in modules])
            for hook in hooks:
                hook.remove()
            for n, (module, layer) in enumerate(zip(modules, wide.linear, strict=True)):
                x = a[module].detach().reshape(len(window), -1)
                seen[n][0].append(torch.cat([x, torch.ones_like(x[:, :1])], dim=1) if layer.bias else x)
                seen[n][1].append(of[n].reshape(len(window), -1))
        for n, g in enumerate(_gradient_of(tracked, pair, w)[: len(modules)]):
            seen[n][2].append(g)
    return tuple(zip(*seen, strict=True))


def test_input_41_long_documents_are_fitted_few_at_a_time():
    assert Batches(2**13).starts([Row((0,) * 82)] * 99) == [0, 32, 64, 96]
    assert Batches(2**13).starts([Row((0,) * 10)] * 40 + [Row((0,) * 1252)] * 9) == [0, 32, 40, 46]
    assert Batches(2**13).starts([Row((0,) * 20_000)] * 3) == [0, 1, 2]


def test_a_lack_of_memory_is_not_taken_for_a_bad_document(tmp_path, monkeypatch):
    def full(*_of):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(fit, "LinearFit", full)
    with pytest.raises(BadInput, match="expected memory for documents of up to 7 tokens"):
        fit_factors(track(tiny.tiny_model(dtype=torch.float32)), DOCUMENTS, tmp_path)
