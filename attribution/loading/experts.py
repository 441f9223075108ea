"""The experts of a mixture, each as linear layers of its own: they come as two tensors for all of them together.

    y_t = Σ_e w_te down_e(act(gate_e x_te) ⊙ up_e x_te),   x_te = x_t where token t is routed to e, else 0

Every expert reads every token, and what was not routed to it as zeros: it adds nothing there, nor to its gradient
`Σ_t δ_t a_tᵀ`, nor to the covariance of its inputs. So these are layers like all others, at the cost of the tokens that
an expert would not have read.
"""

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn

CLOSE = {torch.bfloat16: 3e-2, torch.float32: 1e-4, torch.float64: 1e-9}  # of the output's length
GIVEN = ["hidden_states", "top_k_index", "top_k_weights"]
TOKENS = 16


class Expert(nn.Module):
    """One of them."""

    def __init__(self, gate: Tensor, up: Tensor, down: Tensor, act_fn: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = _linear(gate), _linear(up), _linear(down)
        self.act_fn = act_fn

    def forward(self, x: Tensor) -> Tensor:
        """[N, H] -> [N, H]"""
        made: Tensor = self.down_proj(self.act_fn(self.gate_proj(x)) * self.up_proj(x))
        return made


class Experts(nn.Module):
    """All of them, by number; their weights are views of those that came together."""

    def __init__(self, together: nn.Module) -> None:
        super().__init__()
        gate_up, down = torch.as_tensor(together.gate_up_proj), torch.as_tensor(together.down_proj)
        act_fn: Callable[[Tensor], Tensor] = together.act_fn  # type: ignore[assignment]
        self.n = len(gate_up)
        for e in range(self.n):
            gate, up = gate_up[e].chunk(2)
            self.add_module(str(e), Expert(gate, up, down[e], act_fn))

    def forward(self, hidden_states: Tensor, top_k_index: Tensor, top_k_weights: Tensor) -> Tensor:
        """hidden_states: [N, H]   top_k_index, top_k_weights: [N, k] of the routed experts   -> [N, H]"""
        out = torch.zeros_like(hidden_states)
        for e in range(self.n):
            here = top_k_index == e  # [N, k]
            x = hidden_states * here.any(dim=-1, keepdim=True).to(hidden_states.dtype)
            made = self.get_submodule(str(e))(x)
            weight = (top_k_weights * here.to(top_k_weights.dtype)).sum(dim=-1, keepdim=True)  # [N, 1]
            out = out + (made * weight).to(out.dtype)
        return out


def take_apart(model: nn.Module) -> int:
    """Replace, in place, every group of experts that these compute the same as; the number of groups.

    What it is called does not matter: both are given the same tokens.
    """
    found = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if not _looks_alike(child):
                continue
            apart = Experts(child)
            if _same(child, apart):
                setattr(parent, name, apart)
                found += 1
    return found


def _looks_alike(module: nn.Module) -> bool:
    """[E, 2I, H] and [E, H, I], nothing else, given the tokens and the experts of each."""
    of = dict(module.named_parameters())
    if set(of) != {"gate_up_proj", "down_proj"} or not callable(getattr(module, "act_fn", None)):
        return False
    first, second = of["gate_up_proj"], of["down_proj"]
    if first.dim() != 3 or first.shape[1] != 2 * second.shape[-1] or second.shape[:2] != (len(first), first.shape[2]):
        return False
    return list(inspect.signature(module.forward).parameters) == GIVEN


def _same(together: nn.Module, apart: Experts) -> bool:
    """On random tokens, each routed to two experts."""
    weight = torch.as_tensor(together.gate_up_proj)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(max(TOKENS, apart.n), weight.shape[2], generator=generator).to(weight)
    first = torch.arange(len(tokens)) % apart.n
    index = torch.stack([first, (first + 1) % apart.n], dim=1)[:, : apart.n].to(weight.device)
    weights = torch.rand(index.shape, generator=generator).to(weight)
    with torch.no_grad():
        one, other = together(tokens, index, weights), apart(tokens, index, weights)
    return float((one - other).norm()) <= CLOSE.get(weight.dtype, 1e-4) * float(one.norm())


def _linear(weight: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    linear.weight = nn.Parameter(weight.detach())
    return linear
