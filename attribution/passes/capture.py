"""One forward and one backward pass that leave, for every linear layer, its inputs `a` and output gradients `δ`.

The gradient of a row's loss with respect to a layer's weight is `Σ_t δ_t a_tᵀ`, so nothing else is needed; weight
gradients themselves are never formed here. Padding lies after the last target of a window, where causal attention makes
every `δ` exactly zero. The windows of a document are read apart and then stand side by side: sums over its tokens are
sums over its windows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attribution.model.head import drawn, head_pull_back, labelled, uniform_numbers
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch
from attribution.schedule import pieces

LOGITS = 0.25  # of the memory that logits and what is made of them may take
COPIES = 3  # of the logits that are held while a label is drawn or a soft cap undone


@dataclass(frozen=True)
class Forward:
    """A forward pass with its graph. Layers in the order of `tracked.linear`."""

    inputs: tuple[Tensor, ...]  # [B, T, n_in], 1 appended where the layer has a bias; one for all that read it
    outputs: tuple[Tensor, ...]  # [B, T, n_out], or [B · T, n_out] of a flat layer
    embedded: Tensor  # [B, T, H] looked-up rows, the leaf of the graph
    hidden: Tensor  # [B, T, H] what the head reads, before its scale


@dataclass(frozen=True)
class Captured:
    """A forward and backward pass over a batch of documents, of the loss of each: the sum of its token losses, or that
    of a pair. All gradients are those of this loss."""

    batch: Batch
    inputs: tuple[Tensor, ...]  # [B, T, n_in] per linear layer
    deltas: tuple[Tensor, ...]  # [B, T, n_out] per linear layer
    hidden: Tensor  # [B, T, H] `Tracked.head_input` of the last hidden state
    logit_deltas: Tensor  # [n, V] ∂L/∂(raw logits) at the targets, in row order; [n, 0] where no embedding is tracked
    embedded_deltas: Tensor  # [B, T, H] ∂L/∂(looked-up row), 0 where training does not move the row (`Tracked.learns`)
    token_loss: Tensor  # [n] nats

    @property
    def loss(self) -> Tensor:
        """Of each document, nats  # [B]"""
        if self.batch.preferences:
            found = torch.tensor([of.loss for of in self.batch.preferences]).to(self.token_loss)
        else:
            out = self.token_loss.new_zeros(self.batch.ids.shape)
            out[self.batch.is_target] = self.token_loss
            found = out.sum(dim=1)
        return found * torch.tensor(self.batch.times).to(found) if self.batch.times else found

    def nbytes(self, tracked: Tracked) -> int:
        """Memory of what was captured; layers that read the same share their inputs."""
        inputs = [a for a, layer in zip(self.inputs, tracked.linear, strict=True) if not layer.reads_on]
        kept = (*inputs, *self.deltas, self.hidden, self.logit_deltas, self.embedded_deltas)
        return sum(of.numel() * of.element_size() for of in kept)

    def padded_logit_deltas(self, rows: Tensor | slice) -> Tensor:
        """`logit_deltas` of some vocabulary entries at their places, zero elsewhere  # [B, T, R]"""
        compact = self.logit_deltas[:, rows] if isinstance(rows, slice) else self.logit_deltas.index_select(1, rows)
        out = compact.new_zeros(self.batch.ids.numel(), compact.shape[1])
        return out.index_copy_(0, self.batch.targets, compact).view(*self.batch.ids.shape, -1)


def forward(tracked: Tracked, ids: Tensor) -> Forward:
    """Run the model on right-padded rows.    ids: [B, T]"""
    with torch.enable_grad(), _recorded(tracked.modules()) as (inputs, outputs):
        embedded = tracked.embedding_module(ids).detach().requires_grad_()
        looked_up = torch.where(tracked.learns(ids)[..., None], embedded, embedded.detach())
        hidden = tracked.loaded.model.base_model(inputs_embeds=looked_up, use_cache=False).last_hidden_state
    read: list[Tensor] = []
    for a, layer in zip(inputs, tracked.linear, strict=True):
        read.append(read[-1] if layer.reads_on else widened_input(tracked, a.reshape(*ids.shape, -1), layer))
    return Forward(tuple(read), tuple(outputs), embedded, hidden)


def pull_back(
    tracked: Tracked, run: Forward, hidden_deltas: Tensor, again: bool = False
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Output gradients of every layer and of the looked-up rows, from those of the hidden state.

    hidden_deltas: [B, T, H] or, for K functions of the same forward pass, [K, B, T, H]; the results likewise. With
    `again` the graph is kept for another call.
    """
    many = hidden_deltas.dim() > run.hidden.dim()
    *deltas, embedded = torch.autograd.grad(
        run.hidden,
        (*run.outputs, run.embedded),
        hidden_deltas.to(run.hidden.dtype),
        retain_graph=again,
        is_grads_batched=many,
    )
    rows = hidden_deltas.shape[:-1]  # [B, T] or [K, B, T]
    return tuple(tracked.widened(delta).reshape(*rows, -1) for delta in deltas), tracked.widened(embedded)


def capture(tracked: Tracked, batch: Batch, generator: torch.Generator | None = None) -> Captured:
    """The document pass. With a generator, targets (of a pair: the preference) are sampled from the model instead, for
    the true Fisher."""
    run = forward(tracked, batch.rows)
    is_target = batch.is_target.view(-1, batch.width)  # [B · windows, width]
    with torch.no_grad():
        token_loss, logit_deltas, of_targets = _at_the_head(tracked, batch, run.hidden[is_target], generator)
        hidden_deltas = torch.zeros_like(run.hidden)
        hidden_deltas[is_target] = of_targets.to(run.hidden.dtype)
    deltas, embedded_deltas = pull_back(tracked, run, hidden_deltas)
    inputs: list[Tensor] = []
    for a, layer in zip(run.inputs, tracked.linear, strict=True):
        inputs.append(inputs[-1] if layer.reads_on else batch.joined(a))
    return Captured(
        batch,
        tuple(inputs),
        tuple(batch.joined(delta) for delta in deltas),
        batch.joined(tracked.head_input(run.hidden.detach())),
        logit_deltas,
        batch.joined(embedded_deltas),
        token_loss,
    )


def _at_the_head(
    tracked: Tracked, batch: Batch, hidden: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Token losses [n], gradients of the logits [n, V] and of the hidden states [n, H], as many targets at once as fit
    the memory: of a large vocabulary logits are most of a pass.    hidden: [n, H] of the targets

    Without an embedding nobody reads the gradients of the logits: [n, 0].
    """
    n, n_rows = len(hidden), tracked.n_rows
    labels, weights, uniform = batch.labels, batch.weights(generator), None
    if generator is not None and not batch.preferences:
        uniform = uniform_numbers(n, tracked.zeros(0), generator)
    losses, of_hidden = tracked.zeros(n), tracked.zeros(n, hidden.shape[1])
    parts = list(pieces(n, COPIES * n_rows, tracked.schedule.share(LOGITS) // 4))
    kept = tracked.zeros(n, n_rows if tracked.embedding and len(parts) != 1 else 0)
    for some in parts:
        raw = tracked.raw_logits(hidden[some])
        of = labels[some] if uniform is None else drawn(raw, tracked.softcap, uniform[some])
        losses[some], deltas = labelled(raw, of, tracked.softcap)
        if weights is not None:
            deltas *= weights[some].to(deltas)[:, None]
        of_hidden[some] = head_pull_back(tracked, deltas)
        if tracked.embedding and len(parts) == 1:
            kept = deltas
        elif tracked.embedding:
            kept[some] = deltas
    return losses, kept, of_hidden


def widened_input(tracked: Tracked, a: Tensor, layer: Layer) -> Tensor:
    """In the dtype of gradients, 1 appended where the layer has a bias  # [.., n] -> [.., n_in]"""
    a = tracked.widened(a)
    return torch.cat([a, a.new_ones(*a.shape[:-1], 1)], dim=-1) if layer.bias else a


@contextmanager
def _recorded(modules: list[nn.Module]) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Collect input and output of each module; the model is left without hooks whatever happens."""
    place = {module: i for i, module in enumerate(modules)}
    inputs: list[Tensor] = [torch.empty(0)] * len(modules)
    outputs: list[Tensor] = [torch.empty(0)] * len(modules)

    def keep(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        inputs[place[module]] = args[0].detach()
        outputs[place[module]] = output

    hooks = [module.register_forward_hook(keep) for module in modules]
    try:
        yield inputs, outputs
    finally:
        for hook in hooks:
            hook.remove()
