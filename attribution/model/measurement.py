"""What is explained of a token: a number computed from the logits before it. The one home of `log p`, log-odds and
contrast: whoever needs one of them of logits takes it here.

| name      | f                                                    |
| logp      | log p(y)                                             |
| margin    | z_y − log Σ_{v≠y} exp z_v = log p(y) / (1 − p(y))    |
| contrast  | log p(y) − log p(foil) = z_y − z_foil                |
| mean_logp | mean of log p(y) over a span: one number for all rows |

logp, margin and contrast take logits z [.., V] and ids that fit its rows [..], or fewer leading dimensions: -> [..].

Where p(y) is nearly 1, log p and the gradient at y are what the other entries have left: they are summed by themselves,
since 1 less p keeps nothing of them in float32.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput


def logp(z: Tensor, labels: Tensor) -> Tensor:
    """log p(y) = log σ(margin), nats."""
    return logsigmoid(margin(z, labels))


def margin(z: Tensor, labels: Tensor) -> Tensor:
    """log(p / (1 − p)), which goes on rising where log p is nearly 0."""
    others = z.scatter(-1, _at(z, labels), -torch.inf)
    return _pick(z, labels) - others.logsumexp(-1)


def contrast(z: Tensor, labels: Tensor, foils: Tensor) -> Tensor:
    """log p(y) − log p(foil), nats."""
    return _pick(z, labels) - _pick(z, foils)


def mean_logp(z: Tensor, labels: Tensor) -> Tensor:
    """z: [n, V] -> [1]"""
    return logp(z, labels).mean(dim=0, keepdim=True)


def losses_and_deltas(z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """−log p(y) and its gradient softmax(z) − 1_y.    z: [n, V], overwritten   labels: [n]   -> [n], [n, V]"""
    at = labels[:, None]
    deltas = z.sub_(z.amax(dim=1, keepdim=True))  # in place: a second [n, V] costs more than its numbers
    chosen = deltas.gather(1, at)
    own = chosen.exp()
    others = deltas.exp_().scatter_(1, at, 0.0).sum(dim=1, keepdim=True)
    whole = others + own
    losses = torch.where(own > others, (others / own).log1p(), whole.log() - chosen)
    return losses[:, 0], deltas.div_(whole).scatter_(1, at, -others / whole)


def _at(z: Tensor, ids: Tensor) -> Tensor:
    return ids.expand(z.shape[:-1])[..., None]


def _pick(z: Tensor, ids: Tensor) -> Tensor:
    return z.gather(-1, _at(z, ids))[..., 0]


MEASUREMENTS: dict[str, Callable[..., Tensor]] = {
    "logp": logp,
    "margin": margin,
    "contrast": contrast,
    "mean_logp": mean_logp,
}


@dataclass(frozen=True)
class Measured:
    """K numbers of n rows of logits and their gradients."""

    values: Tensor  # [K] nats
    deltas: Tensor  # [n, V] ∂f_k/∂z of the rows of query k
    query_of: Tensor  # [n] which of the K numbers a row belongs to


def measure(name: str, z: Tensor, labels: Tensor, foils: Sequence[int] | None = None) -> Measured:
    """The measurement and its gradient with respect to the logits.    z: [n, V]  labels: [n]

    Raises BadInput for a name that is none, and for a contrast without one foil for each token.
    """
    if name not in MEASUREMENTS:
        raise BadInput(f"expected a measurement out of {', '.join(MEASUREMENTS)}, found {name!r}")
    if (name == "contrast") != (foils is not None) or (foils is not None and len(foils) != len(labels)):
        found = "none" if foils is None else str(len(foils))
        raise BadInput(f"expected one foil for each of {len(labels)} tokens with 'contrast' only, found {found}")
    more = () if foils is None else (torch.as_tensor(foils, dtype=torch.long, device=z.device),)
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        values = MEASUREMENTS[name](z, labels, *more)  # [K]
        (deltas,) = torch.autograd.grad(values.sum(), z)
    rows = torch.arange(len(labels), device=z.device)
    return Measured(values.detach(), deltas, rows if len(values) == len(rows) else torch.zeros_like(rows))


def foil_token(text: str, tokenizer: PreTrainedTokenizerBase) -> int:
    """The id of a foil given as text; raises BadInput, saying how it splits, when it is not exactly one token."""
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    if len(ids) != 1:
        parts = " + ".join(repr(tokenizer.decode([i])) for i in ids) or "nothing"
        raise BadInput(
            f"expected a foil that is one token of the vocabulary, found {text!r} = {parts}; choose one part"
        )
    return int(ids[0])
