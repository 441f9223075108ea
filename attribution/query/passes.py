"""What every measured token is pulled back from: one forward pass, and the backward pass of each, batched.

A pass holds the output gradients of all layers for some measurements, T · Σ out numbers each: as many at once as the
memory allows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.errors import BadInput
from attribution.model.head import capped, head_pull_back, uncapped
from attribution.model.measurement import measure
from attribution.model.tracked import Tracked
from attribution.passes.capture import Forward, forward, pull_back

AT_ONCE = 32  # backward passes that share one batch
HELD = 0.2  # of the memory, for output gradients, what the batched backward pass makes on its way, and one layer formed


@dataclass(frozen=True)
class Measured:
    """The n positions whose logits are measured, and which of the K measurements each belongs to."""

    ids: Tensor  # [1, T] what the model has read
    at: Tensor  # [n] positions
    query_of: Tensor  # [n]
    deltas: Tensor  # [n, V] ∂f/∂(raw logits)

    def of(self, start: int, stop: int) -> "Measured":
        """Those of queries start … stop, numbered from 0."""
        mine = (self.query_of >= start) & (self.query_of < stop)
        return Measured(self.ids, self.at[mine], self.query_of[mine] - start, self.deltas[mine])

    def summed(self, spans: Sequence[range]) -> "Measured":
        """Of a query for each position, one for each of some spans of them: what it measures is the sum over it."""
        chosen = torch.tensor([k for span in spans for k in span], dtype=torch.long, device=self.at.device)
        of = torch.tensor([q for q, span in enumerate(spans) for _ in span], dtype=torch.long, device=self.at.device)
        return Measured(self.ids, self.at[chosen], of, self.deltas[chosen])


@dataclass(frozen=True)
class QueryPass:
    """Some of the measurements of one forward pass, pulled back through the model."""

    run: Forward
    rows: Measured
    values: Tensor  # [K] nats
    deltas: tuple[Tensor, ...]  # [K, T, out] of each linear layer, whose inputs are run.inputs[0]
    embedded_deltas: Tensor  # [K, 1, T, H]


def at_once(tracked: Tracked, n_tokens: int) -> int:
    """Measurements of one batched backward pass, one at least."""
    formed = 4 * max(of.n_out * of.n_in for of in tracked.linear)  # of one layer, while it is factored for the index
    rows = sum(of.n_out * of.n_in for of in tracked.embedding) // 4
    of_one = 4 * (3 * n_tokens * sum(layer.n_out for layer in tracked.linear) + formed + rows)
    return max(1, min(AT_ONCE, tracked.schedule.share(HELD) // max(1, of_one)))


def query_passes(
    tracked: Tracked,
    ids: Sequence[int],
    first: int,
    *,
    last: int | None = None,
    measurement: str = "logp",
    foils: Sequence[int] | None = None,
    spans: Sequence[range] | None = None,
) -> Iterator[QueryPass]:
    """One measurement for each token of `ids[first:last]` (one in all for `mean_logp`), a few at a time; or for each of
    some spans of these tokens, counted from 0, the sum over it.

    f = Σ f_k, hence ∇f = Σ ∇f_k: what is pulled back is the sum, so a span costs what a token costs.

    ids: prompt and answer as the model read them.
    Raises BadInput for a span that holds no token, or one before which the model has read nothing.
    """
    ids = tuple(ids)[:last]
    if not 1 <= first < len(ids):
        raise BadInput(f"expected tokens to explain after at least one other, found {first}:{len(ids)}; check the span")
    read = torch.tensor([ids[:-1]], device=tracked.device)
    labels = torch.tensor(ids[first:], device=tracked.device)
    run = forward(tracked, read)
    at = torch.arange(first - 1, len(ids) - 1, device=tracked.device)
    with torch.no_grad():
        raw = tracked.raw_logits(run.hidden[0, at])  # [n, V]
        measured = measure(measurement, capped(raw, tracked.softcap), labels, foils)
        rows = Measured(read, at, measured.query_of, uncapped(measured.deltas, raw, tracked.softcap))
    of_all = measured.values
    if spans is not None:
        if not all(0 <= span.start < span.stop <= len(at) for span in spans):
            raise BadInput(f"expected spans of the {len(at)} tokens, found {[*spans]}; check the spans")
        rows = rows.summed(spans)
        of_all = of_all.new_zeros(len(spans)).index_add_(0, rows.query_of, of_all[rows.at - at[0]])
    start = 0
    for values in of_all.split(at_once(tracked, read.shape[1])):
        mine = rows.of(start, start + len(values))
        hidden_deltas = tracked.zeros(len(values), *run.hidden.shape)  # [K, 1, T, H]
        hidden_deltas[mine.query_of, 0, mine.at] = head_pull_back(tracked, mine.deltas)
        deltas, embedded_deltas = pull_back(tracked, run, hidden_deltas, again=True)
        yield QueryPass(run, mine, values, tuple(delta[:, 0] for delta in deltas), embedded_deltas)
        start += len(values)


def together(passes: Sequence[QueryPass], weights: Sequence[float]) -> QueryPass:
    """Passes of one measurement each as one pass of their weighted sum, the positions of one behind the other's."""
    starts = [sum(of.rows.ids.shape[1] for of in passes[:i]) for i in range(len(passes))]
    weighted = list(zip(passes, weights, strict=True))
    run = Forward(
        inputs=tuple(torch.cat(each, dim=1).detach() for each in zip(*(of.run.inputs for of in passes), strict=True)),
        outputs=(),
        embedded=torch.cat([of.run.embedded for of in passes], dim=1).detach(),
        hidden=torch.cat([of.run.hidden for of in passes], dim=1).detach(),
    )
    rows = Measured(
        ids=torch.cat([of.rows.ids for of in passes], dim=1),
        at=torch.cat([of.rows.at + start for of, start in zip(passes, starts, strict=True)]),
        query_of=torch.cat([of.rows.query_of for of in passes]),
        deltas=torch.cat([weight * of.rows.deltas for of, weight in weighted]),
    )
    deltas = [[weight * delta for delta in of.deltas] for of, weight in weighted]
    return QueryPass(
        run,
        rows,
        torch.stack([weight * of.values for of, weight in weighted]).sum(dim=0),
        tuple(torch.cat(each, dim=1) for each in zip(*deltas, strict=True)),
        torch.cat([weight * of.embedded_deltas for of, weight in weighted], dim=2),
    )
