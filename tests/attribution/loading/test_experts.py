"""Experts as layers of their own: the tensors that they came in say the same, forward, backward and in the fit."""

import copy

import pytest
import torch
from torch import nn

from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from attribution.loading.experts import take_apart
from attribution.loading.load import load_model
from attribution.model.tracked import track
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture
from tests.attribution.architectures import V, opened_model, random_model
from tests.indexer.built_model import tokenizer

MIXTURES = ["Mixtral", "Qwen 2 MoE", "Qwen 3 MoE"]


def ids(n=12):
    return torch.randint(V, (2, n), generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", MIXTURES)
def test_input_23_a_mixture_taken_apart_computes_the_same(name, dtype):
    together, apart = random_model(name).model.to(dtype), opened_model(name).model.to(dtype)
    close = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 5e-2}[dtype]
    expected = together(input_ids=ids()).logits
    torch.testing.assert_close(apart(input_ids=ids()).logits, expected, rtol=close, atol=close)
    assert sum(p.numel() for p in apart.parameters()) == sum(p.numel() for p in together.parameters())


@pytest.mark.parametrize("name", MIXTURES)
def test_input_23_gradients_of_experts_are_those_of_the_tensors_that_hold_all(name):
    together, tracked = random_model(name).model, track(opened_model(name))
    rows = [Row(tuple(row)) for row in ids().tolist()]
    captured = capture(tracked, pad(rows, [0, 1]))
    logits = together(input_ids=ids()).logits[:, :-1].log_softmax(-1)
    loss = -logits.gather(2, ids()[:, 1:, None]).sum()
    loss.backward()
    tensors = dict(together.named_parameters())
    found = 0
    for layer, delta, a in zip(tracked.linear, captured.deltas, captured.inputs, strict=True):
        if ".experts." not in layer.name:
            continue
        prefix, _, rest = layer.name.partition(".experts.")
        e, which = rest.split(".")
        whole = tensors[f"{prefix}.experts.{'down_proj' if which == 'down_proj' else 'gate_up_proj'}"].grad[int(e)]
        expected = whole if which == "down_proj" else whole.chunk(2)[which == "up_proj"]
        torch.testing.assert_close((delta.mT @ a).sum(dim=0), expected, rtol=1e-9, atol=1e-12)
        found += 1
    assert found == 2 * 4 * 3


def test_input_23_the_curvature_of_an_expert_is_fitted_on_the_tokens_that_were_routed_to_it(tmp_path):
    loaded = opened_model("Mixtral")
    loaded.model.float()
    rows = [Row(tuple(row)) for row in ids(20).tolist()] + [Row((7, 3, 9))]  # one is padded in its batch
    tracked = track(loaded, ["model.layers.0.mlp.experts.*"], embedding=False)
    fit_factors(tracked, rows, tmp_path)
    routed = routed_to(random_model("Mixtral").model, rows)
    for layer, basis in zip(tracked.linear, load_factors(tmp_path, tracked).linear, strict=True):
        if not layer.name.endswith("gate_proj"):
            continue
        x = routed[int(layer.name.split(".")[-2])]
        assert 0 < len(x) < 43
        turned = basis.Q_A.double().T @ (x.T @ x) @ basis.Q_A.double()
        assert float((turned - torch.diag(turned.diag())).norm()) < 1e-4 * float(turned.norm())


def routed_to(model, rows):
    """What each expert of the first block reads  # e -> [n, H]"""
    given = {}
    experts = model.get_submodule("model.layers.0.mlp.experts")
    hook = experts.register_forward_pre_hook(
        lambda _m, args: [given.setdefault(e, []).append(args[0][(args[1] == e).any(1)]) for e in range(4)] and None
    )
    with torch.no_grad():
        for row in rows:
            model(input_ids=torch.tensor(row.ids)[None])
    hook.remove()
    return {e: torch.cat(of) for e, of in given.items()}


class Other(nn.Module):
    """Looks the same, and puts up before gate."""

    def __init__(self, like):
        super().__init__()
        self.gate_up_proj, self.down_proj, self.act_fn = like.gate_up_proj, like.down_proj, like.act_fn

    def forward(self, hidden_states, top_k_index, top_k_weights):
        out = torch.zeros_like(hidden_states)
        for e in range(len(self.down_proj)):
            up, gate = nn.functional.linear(hidden_states, self.gate_up_proj[e]).chunk(2, dim=-1)
            weight = (top_k_weights * (top_k_index == e)).sum(dim=1, keepdim=True)
            out = out + weight * nn.functional.linear(self.act_fn(gate) * up, self.down_proj[e])
        return out


def test_input_23_experts_that_compute_otherwise_stay_together():
    model = random_model("Mixtral").model
    other = copy.deepcopy(model)
    first = other.get_submodule("model.layers.0.mlp")
    first.experts = Other(first.experts)
    assert (take_apart(model), take_apart(other)) == (2, 1)
    assert isinstance(first.experts, Other)
    assert take_apart(random_model("Llama").model) == 0


def test_input_23_loading_takes_experts_apart_where_it_is_asked_to(tmp_path):
    random_model("Mixtral").model.float().save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    together, apart = (load_model(str(tmp_path), "cpu", experts=each) for each in (False, True))
    assert together.weights_hash != apart.weights_hash
    assert together.n_params == apart.n_params
    torch.testing.assert_close(apart.model(input_ids=ids()).logits, together.model(input_ids=ids()).logits)
