"""Saliency: every generated token against every earlier token, by any method of `methods/` behind one function.

`scores[row, s]` is what source token s (an index into prompt + answer) did for the answer token of that row. Signed
methods are positive where the source pushed towards the token (or away from the foil).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from attribution.prompt.saliency.given import Given
from attribution.prompt.saliency.method import check_methods, computed
from attribution.prompt.saliency.subject import subject as make_subject


@dataclass(frozen=True)
class Saliency:
    """K answer tokens against S = P + A - 1 sources; 0 where the source comes after the token."""

    method: str
    positions: tuple[int, ...]  # answer positions of the rows
    n_prompt: int  # P
    scores: Tensor  # [K, S] float32, CPU
    value: Tensor  # [K] the number explained, nats
    baseline: str  # what an absent token is, in words; '' where the method needs none
    gap: Tensor | None  # [K] |sum of scores - f(x) + f(baseline)| / |f(x) - f(baseline)|; None where nothing must sum

    def visible(self) -> Tensor:
        """Which sources stand before each token: [K, S] bool."""
        stop = self.n_prompt + torch.tensor(self.positions)
        return torch.arange(self.scores.shape[1])[None] < stop[:, None]

    def rows(self) -> Iterator[tuple[int, int, float]]:
        """(position, source_position, score) for every source that the token could see."""
        for position, scores in zip(self.positions, self.scores.tolist(), strict=True):
            for source in range(self.n_prompt + position):
                yield position, source, scores[source]


def saliency(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    answer_ids: Sequence[int],
    method: str = "grad_x_input",
    *,
    foil_ids: Sequence[int] | None = None,
    positions: Sequence[int] | None = None,
    absent_id: int | None = None,
    steps: int = 64,
    scan: int = 256,
    layer: int | None = None,
    groups: Sequence[int] | None = None,
    batch: int = 8,
) -> Saliency:
    """Explain log p of the answer tokens, or with `foil_ids` (one per answer token) why they and not the foils.

    positions: answer positions to explain, None for all.      absent_id: the token that stands for "nothing here"
    (see `absent_token`), None for a zero embedding; the first id (bos) is never taken away.
    steps: gradients of the two integrated methods.      scan: forward passes that say where to put them; 0 for captum's
    nodes.      layer: of layer_integrated_gradients, None for the middle block.
    groups: of shapley, the part of each prompt id, -1 for ids that always stay.      batch: rows in a forward pass.
    Raises BadInput for an unknown method, an empty answer, wrong counts, or shapley without groups.
    """
    [made] = saliencies(
        model,
        prompt_ids,
        answer_ids,
        (method,),
        foil_ids=foil_ids,
        positions=positions,
        absent_id=absent_id,
        steps=steps,
        scan=scan,
        layer=layer,
        groups=groups,
        batch=batch,
    ).values()
    return made


def saliencies(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    answer_ids: Sequence[int],
    methods: Sequence[str],
    *,
    foil_ids: Sequence[int] | None = None,
    positions: Sequence[int] | None = None,
    absent_id: int | None = None,
    steps: int = 64,
    scan: int = 256,
    layer: int | None = None,
    groups: Sequence[int] | None = None,
    batch: int = 8,
    tick: Callable[[str], None] = lambda _method: None,
) -> dict[str, Saliency]:
    """Several methods at once; both gradient methods share one pass. `tick` is told each method before it begins."""
    check_methods(methods)
    asked = make_subject(model, prompt_ids, answer_ids, foil_ids, positions)
    given = Given(asked, absent_id, steps, scan, layer, groups, batch)
    width = len(prompt_ids) + len(answer_ids) - 1
    made = {}
    for method in methods:
        tick(method)
        record = computed()[method]
        assert record.scores is not None  # noqa: S101 - `computed` are those that have it
        scores, change = record.scores(given)
        scores = torch.where(asked.visible(), scores, torch.zeros_like(scores))
        gap = None if change is None else ((scores.sum(1) - change).abs() / change.abs().clamp_min(1e-12))
        made[method] = Saliency(
            method=method,
            positions=asked.positions,
            n_prompt=asked.n_prompt,
            scores=torch.nn.functional.pad(scores, (0, width - scores.shape[1])).float().cpu(),
            value=given.value.float().cpu(),
            baseline=given.baseline if record.absent else "",
            gap=None if gap is None else gap.float().cpu(),
        )
    return made


def absent_token(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The id that stands for "nothing here": a single space, else the eos token; None without either.

    A zero embedding is no neutral input: normalised layers blow it up, and no model was trained on it.
    """
    space = tokenizer(" ", add_special_tokens=False)["input_ids"]
    if len(space) == 1:
        return int(space[0])
    return None if tokenizer.eos_token_id is None else int(tokenizer.eos_token_id)
