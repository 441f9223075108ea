"""An adapter's matrices beside their base: PEFT's own model under autograd says the same, in float64."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from attribution.curvature.blocks import damp
from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from attribution.errors import BadInput
from attribution.exact.agreement import check_agreement
from attribution.exact.scores import score_documents
from attribution.exact.token_loss import token_losses
from attribution.index.corpus_pass import corpus_pass
from attribution.loading.adapter import ALONE, WEIGHTS
from attribution.loading.load import load_model
from attribution.loading.outline import check_checkpoints
from attribution.model.coverage import EXPLAINED, FROZEN, NORMS, OTHERS, coverage
from attribution.model.tracked import track
from attribution.passes.batches import Row
from attribution.query.solve import query_directions
from attribution.truth.tail_patch import tail_patch
from tests.attribution import tiny
from tests.attribution.architectures import CONFIGS, V
from tests.attribution.loading.peft_adapter import opened, trained_adapter

N = 50
SETTINGS = {
    "Llama": {"target_modules": ["q_proj", "v_proj", "down_proj"]},
    "Mistral": {"target_modules": "all-linear", "use_rslora": True},
    "Qwen 2 and 2.5": {"target_modules": ["k_proj", "up_proj"], "rank_pattern": {"up_proj": 5}},
    "GPT-2": {"target_modules": ["c_attn", "c_fc"], "alpha_pattern": {"c_attn": 11}},
    "GPT-NeoX": {"target_modules": ["query_key_value", "dense"], "alpha_pattern": {"dense": 2}, "use_rslora": True},
    "OPT": {"target_modules": ["q_proj", "fc1", "fc2"]},
    "Gemma 2": {"target_modules": ["o_proj", "gate_proj"]},
    "Falcon": {"target_modules": ["query_key_value", "dense_h_to_4h"]},
}
ADAPTED = sorted(SETTINGS)


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = trained_adapter(kind, tmp_path_factory.mktemp("adapter"), **SETTINGS[kind])
        return made[kind]

    return of


def test_checkpoints_of_an_adapter_that_is_explained_alone_have_its_matrices(adapted, tmp_path):
    given = adapted("Llama")
    folder = shutil.copytree(given.adapter, tmp_path / "other")
    check_checkpoints([str(given.adapter)], str(given.adapter), explain=ALONE)
    tensors = load_file(folder / WEIGHTS)
    of_rank_2 = {name: t[:2] if "lora_A" in name else t[:, :2] for name, t in tensors.items()}
    save_file({name: t.contiguous() for name, t in of_rank_2.items()}, folder / WEIGHTS)
    check_checkpoints([str(folder)], str(given.adapter))  # merged, another rank is the same model
    with pytest.raises(BadInput, match="expected a tensor of 3 × .*lora_A in the checkpoint .*found a tensor of 2 ×"):
        check_checkpoints([str(folder)], str(given.adapter), explain=ALONE)
    with pytest.raises(BadInput, match="found no tensor; name earlier weights of the same model"):
        check_checkpoints([str(given.base)], str(given.adapter), explain=ALONE)


def documents():
    generator = torch.Generator().manual_seed(3)
    return [Row((7, *torch.randint(V, (n,), generator=generator).tolist())) for n in (4, 9, 3)]


def gradients(wrapped, names, of):
    """∇ of a function of PEFT's logits in its matrices, in the order of the layers."""
    parameters = {
        name.removeprefix("base_model.model.").replace(".default.weight", ""): parameter
        for name, parameter in wrapped.named_parameters()
    }
    return torch.autograd.grad(of(wrapped), [parameters[name] for name in names])


def logp(wrapped, row):
    ids = torch.tensor(row.ids)
    found = wrapped(input_ids=ids[None]).logits[0].log_softmax(-1)
    return torch.stack([found[t - 1, ids[t]] for t in range(row.first_target, len(ids))])


@pytest.mark.parametrize("kind", ADAPTED)
def test_input_19_both_settings_compute_what_peft_does(adapted, kind):
    given, ids = adapted(kind), torch.tensor([[1, 2, 3, 250]])
    expected = given.wrapped(input_ids=ids).logits
    torch.testing.assert_close(opened(given, "adapter").model(input_ids=ids).logits, expected)
    torch.testing.assert_close(opened(given, "merged").model(input_ids=ids).logits, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ADAPTED)
def test_input_19_influence_through_the_matrices_alone_is_that_of_pefts_gradients(adapted, kind):
    given, of = adapted(kind), documents()
    tracked = track(opened(given, "adapter"))
    names = [layer.name for layer in tracked.layers]
    trained = sorted(n for n, p in given.wrapped.named_parameters() if p.requires_grad)
    assert sorted(f"base_model.model.{name}.default.weight" for name in names) == trained
    factors = tiny.random_factors(tracked)
    query, first = (7, 5, 11, 3, 8), 2
    directions = query_directions(tracked, damp(factors), query, first, negligible=0)
    scores = score_documents(tracked, directions, of, N).values  # [Q, D, L]
    losses = token_losses(tracked, directions, of, [range(len(of))] * directions.n, N)
    norms = corpus_pass(tracked, damp(factors), of, N, budget=10_000).norms
    of_documents = [gradients(given.wrapped, names, lambda m, row=row: -logp(m, row).sum()) for row in of]
    for q in range(directions.n):
        asked = Row(query[: first + 1 + q], first_target=first + q)
        solved = tiny.dense_solve(factors, gradients(given.wrapped, names, lambda m, row=asked: logp(m, row).sum()))
        for d, document in enumerate(of_documents):
            expected = -tiny.inner(solved, document) / N
            torch.testing.assert_close(
                torch.as_tensor(scores[q, d], dtype=torch.float64), expected, rtol=1e-5, atol=1e-9
            )
            assert losses[q][d].influences.sum() == pytest.approx(float(expected.sum()), rel=1e-4, abs=1e-9)
    for d, document in enumerate(of_documents):
        exact = float(torch.stack([(g**2).sum() for g in document]).sum().sqrt())
        assert norms.grad_norm[d] == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("kind", ADAPTED)
def test_input_19_an_adapter_beside_its_base_passes_the_check_on_opening(adapted, kind):
    check_agreement(track(load_model(str(adapted(kind).adapter), "cpu", explain="adapter")))


@pytest.mark.parametrize("kind", ["Llama", "GPT-2", "OPT"])
def test_input_19_the_curvature_of_the_matrices_is_fitted_on_what_each_reads(adapted, kind, tmp_path):
    given, of = adapted(kind), documents()
    tracked = track(load_model(str(given.adapter), "cpu", explain="adapter"))
    fit_factors(tracked, of, tmp_path)
    read = {}
    hooks = [
        module.register_forward_hook(lambda _m, args, _o, name=name: read.setdefault(name, []).append(args[0]))
        for name, module in given.wrapped.named_modules()
        if name.endswith(".default")
    ]
    with torch.no_grad():
        for row in of:
            given.wrapped(input_ids=torch.tensor(row.ids)[None])
    for hook in hooks:
        hook.remove()
    for layer, basis in zip(tracked.layers, load_factors(tmp_path, tracked).linear, strict=True):
        x = torch.cat([each.reshape(-1, layer.n_in) for each in read[f"base_model.model.{layer.name}.default"]])
        turned = basis.Q_A.double().T @ (x.T @ x) @ basis.Q_A.double()
        assert float((turned - torch.diag(turned.diag())).norm()) < 1e-4 * float(turned.norm())
        assert basis.lam.shape == (layer.n_out, layer.n_in)
        assert float(basis.lam.mean()) > 0


def test_input_19_the_adapter_alone_is_another_model_than_the_merged_one(adapted, tmp_path):
    given = adapted("Llama")
    alone, merged = (load_model(str(given.adapter), "cpu", explain=each) for each in ("adapter", "merged"))
    again = load_model(str(given.adapter), "cpu", explain="adapter")
    assert alone.weights_hash == again.weights_hash != merged.weights_hash
    said = json.loads((given.adapter / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps(said | {"lora_alpha": 7}))
    save_file(load_file(given.adapter / "adapter_model.safetensors"), tmp_path / "adapter_model.safetensors")
    assert load_model(str(tmp_path), "cpu", explain="adapter").weights_hash != alone.weights_hash


def counted(loaded):
    kinds = {}
    for of in coverage(track(loaded)):
        kinds.setdefault(of.kind, {})[of.name] = of.n_params
    return kinds


def test_input_19_what_is_explained_are_the_matrices_and_the_rest_was_frozen(adapted):
    loaded = opened(adapted("Llama"), "adapter")
    kinds = counted(loaded)
    assert sum(kinds[EXPLAINED].values()) == 2 * 3 * ((16 + 16) + (16 + 8) + (24 + 16))  # layers · r · (in + out)
    assert set(kinds) == {EXPLAINED, FROZEN}
    assert sum(kinds[FROZEN].values()) == opened(adapted("Llama"), "merged").n_params
    assert [n for n, p in loaded.model.named_parameters() if p.requires_grad] == [
        n for n, _ in loaded.model.named_parameters() if ".lora_" in n
    ]


def test_input_19_patterns_name_the_layers_that_the_matrices_stand_beside(adapted):
    loaded = opened(adapted("Llama"), "adapter")
    found = [layer.name for layer in track(loaded, ["*.1.mlp.down_proj", "*.0.*.q_proj.lora_A"]).layers]
    assert found == [
        "model.layers.0.self_attn.q_proj.lora_A",
        "model.layers.1.mlp.down_proj.lora_A",
        "model.layers.1.mlp.down_proj.lora_B",
    ]
    assert sum(counted(loaded)[EXPLAINED].values()) > 0


@pytest.mark.parametrize(
    ("kind", "whole", "others", "explained"),
    [
        ("Llama", ["lm_head"], {"lm_head.weight"}, ()),  # tied: training moves the head apart from the embedding
        ("Mistral", ["lm_head", "embed_tokens"], set(), ("model.embed_tokens", "lm_head")),
        ("Llama", ["embed_tokens", "lm_head"], set(), ("model.embed_tokens", "lm_head")),
        ("Mistral", ["up_proj"], {"model.layers.*.mlp.up_proj.weight"}, ()),
    ],
)
def test_input_19_what_was_trained_whole_is_explained_where_it_is_both_ends_and_else_counted(
    tmp_path, kind, whole, others, explained
):
    given = trained_adapter(kind, tmp_path, target_modules=["q_proj"], modules_to_save=whole)
    ids = torch.tensor([[1, 2, 3, 250]])
    for explain in ("adapter", "merged"):
        loaded = opened(given, explain)
        torch.testing.assert_close(
            loaded.model(input_ids=ids).logits, given.wrapped(input_ids=ids).logits, rtol=1e-5, atol=1e-5
        )
    loaded = opened(given, "adapter")
    tracked = track(loaded)
    assert tuple(layer.name for layer in tracked.embedding) == explained
    check_agreement(tracked)
    assert set(counted(loaded).get(OTHERS, {})) == others
    assert NORMS not in counted(loaded)


@pytest.mark.parametrize("targets", [["q_proj", "embed_tokens"], ["q_proj", "lm_head"]])
@pytest.mark.parametrize("together", [False, True])
def test_input_19_matrices_of_the_embedding_and_the_head_are_merged(tmp_path, targets, together):
    if together and "lm_head" in targets:
        pytest.skip("PEFT ties the head to the embedding, not the embedding to the head")
    given = trained_adapter("Llama", tmp_path, target_modules=targets, ensure_weight_tying=together)
    ids = torch.tensor([[1, 2, 3, 250]])
    for explain in ("adapter", "merged"):
        found = opened(given, explain)
        expected = given.wrapped(input_ids=ids).logits
        torch.testing.assert_close(found.model(input_ids=ids).logits, expected, rtol=1e-5, atol=1e-5)
        assert found.model.config.tie_word_embeddings == together
    kinds = counted(opened(given, "adapter"))
    assert set(kinds[OTHERS]) == {"lm_head.weight" if "lm_head" in targets else "model.embed_tokens.weight"}
    assert not any("q_proj.base" in name for kind in (EXPLAINED, OTHERS) for name in kinds[kind])


def test_input_19_a_step_of_the_tail_patch_moves_the_matrices_only(adapted, monkeypatch):
    tracked = track(opened(adapted("Llama"), "adapter"))
    before = {n: p.clone() for n, p in tracked.loaded.model.named_parameters()}
    monkeypatch.setattr("copy.deepcopy", lambda model: model)
    tail_patch(tracked, documents(), (7, 5, 11), 2)
    moved = {n for n, p in tracked.loaded.model.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {f"{layer.name}.weight" for layer in tracked.layers}


def changed(given, folder, **tensors):
    found = load_file(given.adapter / "adapter_model.safetensors")
    for key in list(found):
        for end, change in tensors.items():
            if key.endswith(f"{end}.weight"):
                found[key] = change(found[key]).contiguous()
    (folder / "adapter_config.json").write_text((given.adapter / "adapter_config.json").read_text())
    save_file(found, folder / "adapter_model.safetensors")
    return str(folder)


def test_input_19_a_layer_that_training_did_not_reach_is_left_as_it_is(adapted, tmp_path):
    key = "model.layers.0.self_attn.q_proj.lora_B"
    folder = changed(adapted("Llama"), tmp_path, **{key: torch.zeros_like})
    loaded = load_model(folder, "cpu", explain="adapter")
    names = [layer.name for layer in track(loaded).layers]
    assert OTHERS not in counted(loaded)
    assert len(names) == 2 * 2 * 3 - 2
    assert not any("layers.0.self_attn.q_proj" in name for name in names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lora_B": torch.zeros_like}, "that training moved beside linear layers, found none; set explain = 'merged'"),
        ({"lora_A": lambda A: A[:, :-1]}, "expected an adapter of this base"),
        ({"lora_B": lambda B: B[:-1]}, "expected an adapter of this base"),
    ],
)
def test_input_19_what_cannot_stand_beside_its_base_is_one_line(adapted, tmp_path, change, message):
    folder = changed(adapted("Llama"), tmp_path, **change)
    with pytest.raises(BadInput, match=message) as caught:
        load_model(folder, "cpu", explain="adapter")
    assert "\n" not in str(caught.value)


def test_the_settings_cover_what_a_linear_layer_can_be():
    assert set(SETTINGS) <= set(CONFIGS)
