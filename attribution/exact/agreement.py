"""Whether a model is one that this engine explains: measured on a short text against autograd, before anything costly.

A forward and a backward pass give `Σ_t δ_t a_tᵀ` for every block, which must be the gradient that autograd leaves in
its weight; a forward-mode pass along one random direction must give the sum of that gradient's products with it. A
layer that runs twice, whose output is changed behind its back, or whose weight is read past it, fails: names do not
matter.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers.pytorch_utils import Conv1D

from attribution.curvature.blocks import IdentityBlock
from attribution.curvature.ghost_norm import squared_norms
from attribution.errors import BadInput
from attribution.exact.tangent import logits_and_tangent
from attribution.exact.token_loss import loss_products
from attribution.model.layers import Layer
from attribution.model.short_pass import short_ids
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Row, pad
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients
from attribution.query.directions import Directions
from attribution.query.matrices import LayerDirections, Outer
from attribution.query.vocabulary_rows import Read, ReadRows, RowBlock

CLOSE = 1e-3  # of a gradient's length, in float32; a wrong gradient is wrong by its whole length
CLOSE_BFLOAT16 = 0.1
NAMED = 6  # patterns that a message lists

Product = tuple[Tensor, Tensor]  # u [out], w [in]: the direction u wᵀ of one block


def check_agreement(tracked: Tracked, forward_mode: bool = True) -> None:
    """Raises BadInput, in one line, for blocks whose gradient is not what this engine takes it for; it names the
    patterns of those that are. `forward_mode`: whether token losses will be asked for."""
    batch = pad([Row(tuple(short_ids(tracked.loaded)[0].tolist()))], [0], tracked.device)
    captured = capture(tracked, batch)
    mine: dict[str, Callable[[], Tensor]] = {
        layer.name: lambda n=n: captured.deltas[n][0].T @ captured.inputs[n][0]  # type: ignore[misc]
        for n, layer in enumerate(tracked.linear)
    }
    for i, layer in enumerate(tracked.embedding):
        rows = slice(0, layer.n_out)
        mine[layer.name] = lambda i=i, rows=rows: block_gradients(tracked, captured, i, rows)[0]  # type: ignore[misc]
    longest = float(squared_norms(tracked, captured).max().clamp(min=0).sqrt())
    outer = _outer(tracked)
    wrong, products = _against_autograd(tracked, batch, mine, longest, outer)
    if wrong:
        raise BadInput(_refusal(tracked, wrong))
    if forward_mode:
        _check_tangent(tracked, batch, outer, products)


def _against_autograd(
    tracked: Tracked, batch: Batch, mine: Mapping[str, Callable[[], Tensor]], longest: float, outer: dict[str, Product]
) -> tuple[list[str], list[Tensor]]:
    """The blocks whose gradient is another than autograd's, and `uᵀ G w` of each; no more than one gradient of either
    kind is held.    longest: of all blocks' gradients"""
    wrong: list[str] = []
    products: list[Tensor] = []
    close = CLOSE_BFLOAT16 if tracked.loaded.model.dtype == torch.bfloat16 else CLOSE

    def compare(layer: Layer, truth: Tensor) -> None:
        found, (u, w) = mine[layer.name](), outer[layer.name]
        truth = tracked.widened(truth)
        products.append(u @ truth @ w)
        if not float((found - truth).norm()) <= close * float(truth.norm()) + 1e-6 * longest:
            wrong.append(layer.name)

    with _gradients(tracked, compare), torch.enable_grad():
        logits = tracked.loaded.model(input_ids=batch.ids, use_cache=False).logits[batch.is_target]
        cross_entropy(tracked.widened(logits), batch.labels, reduction="sum").backward()  # type: ignore[no-untyped-call]
    return wrong, products


@contextmanager
def _gradients(tracked: Tracked, compare: Callable[[Layer, Tensor], None]) -> Iterator[None]:
    """Inside, a backward pass hands over the gradient [out, in] of each block, bias as last column, and keeps none."""
    modules = dict(tracked.loaded.model.named_modules())
    waiting: dict[int, tuple[Layer, nn.Module]] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    hooks = []

    def take(parameter: Tensor) -> None:
        gradient, parameter.grad = parameter.grad, None
        if id(parameter) not in waiting or gradient is None:
            return
        layer, module = waiting[id(parameter)]
        of = parts.setdefault(layer.name, {})
        of["weight" if parameter is module.weight else "bias"] = gradient
        if len(of) == 1 + layer.bias:
            weight = of["weight"].T if isinstance(module, Conv1D) else of["weight"]
            compare(layer, torch.cat([weight, of["bias"][:, None]], dim=1) if layer.bias else weight)
            del parts[layer.name]

    for layer in tracked.layers:
        module = modules[layer.name]
        for parameter in (module.weight, module.bias) if layer.bias else (module.weight,):
            waiting[id(parameter)] = (layer, module)
    for parameter in tracked.loaded.model.parameters():
        if parameter.requires_grad:
            hooks.append(parameter.register_post_accumulate_grad_hook(take))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _check_tangent(tracked: Tracked, batch: Batch, outer: dict[str, Product], products: list[Tensor]) -> None:
    """d(loss) along the direction, once by forward mode, once as Σ uᵀ G w."""
    n, pairs = len(tracked.linear), list(outer.values())
    linear = tuple(LayerDirections(None, (Outer(u[None, None], w[None]),)) for u, w in pairs[:n])
    rows = tuple(_rows(u, w) for u, w in pairs[n:])
    nothing = tracked.zeros(1)
    direction = Directions(linear, rows, nothing, nothing)
    try:
        z, tangent = logits_and_tangent(tracked, direction, [0], batch)
    except (RuntimeError, NotImplementedError) as error:
        raise BadInput(
            f"expected operations with a forward derivative in {type(tracked.loaded.model).__name__}, found: "
            f"{' '.join(str(error).split())[:120]}; set [scores] token_losses = 0"
        ) from None
    found = -float(loss_products(z, tangent, batch.labels).sum())
    terms = torch.stack(products)
    close = 10 * (CLOSE_BFLOAT16 if tracked.loaded.model.dtype == torch.bfloat16 else CLOSE)
    if not abs(found - float(terms.sum())) <= close * float(terms.norm()):
        raise BadInput(
            f"expected a forward derivative of {type(tracked.loaded.model).__name__} that agrees with its gradient, "
            "found another; set [scores] token_losses = 0"
        )


def _rows(u: Tensor, w: Tensor) -> RowBlock:
    """The direction u wᵀ of an embedding block."""
    rows = torch.arange(len(u), device=u.device)
    read = Read(u[None], w[None], rows[:1], rows[:0], w.new_zeros(1, 0, len(w)))
    return RowBlock(rows, (ReadRows(rows, read, torch.ones_like(u[None], dtype=torch.bool), IdentityBlock()),))


def _outer(tracked: Tracked) -> dict[str, Product]:
    """A random direction for every block, in proportion to nothing: a product must be right wherever it comes from."""
    generator = torch.Generator().manual_seed(0)

    def normal(n: int) -> Tensor:
        return torch.randn(n, generator=generator, dtype=torch.float32).to(tracked.zeros(0))

    return {layer.name: (normal(layer.n_out), normal(layer.n_in)) for layer in tracked.layers}


def _refusal(tracked: Tracked, wrong: list[str]) -> str:
    fit = dict.fromkeys(pattern(layer.name) for layer in tracked.linear if layer.name not in wrong)
    fit = {each: None for each in fit if not any(fnmatchcase(name, each) for name in wrong)}
    what = type(tracked.loaded.model).__name__
    if any(layer.name in wrong for layer in tracked.embedding):
        advice = "set [factors] embedding = false"
    elif fit:
        advice = f"name those that have one: [factors] layers = [{', '.join(repr(each) for each in list(fit)[:NAMED])}]"
    else:
        advice = "choose an architecture of docs/architectures.md"
    return f"expected layers of {what} whose gradient is a sum over tokens, found {wrong[0]} without; {advice}"


def pattern(name: str) -> str:
    """The pattern of all blocks' layers of that name."""
    return re.sub(r"\.\d+(?=\.)", ".*", name)
