"""Saliency: every generated token against every earlier token, by any of seven methods behind one function.

`scores[row, s]` is what source token s (an index into prompt + answer) did for the answer token of that row. Signed
methods are positive where the source pushed towards the token (or away from the foil).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.prompt.saliency import attention, gradient, integrated, removal
from attribution.prompt.saliency.hooks import blocks
from attribution.prompt.saliency.subject import Subject
from attribution.prompt.saliency.subject import subject as make_subject


@dataclass(frozen=True)
class Method:
    """How a method is shown: its name for people, whether it has signs, whether it explains, what to know of it."""

    label: str
    signed: bool
    explains: bool
    note: str


METHODS: dict[str, Method] = {
    "grad_norm": Method("Gradient norm", False, True, "how sensitive the token is to each earlier one"),
    "grad_x_input": Method("Gradient × input", True, True, "first-order effect of each earlier token"),
    "integrated_gradients": Method(
        "Integrated gradients", True, True, "sums to the change against a prompt of absent tokens, up to the gap"
    ),
    "layer_integrated_gradients": Method(
        "Layer integrated gradients", True, True, "the same at the output of one block, up to the gap"
    ),
    "occlusion": Method("Occlusion", True, True, "drop when this one token is replaced by the absent token"),
    "shapley": Method("Shapley values of parts", True, True, "fair share of each part, spread evenly over its tokens"),
    "attention": Method("Attention", False, False, "where the model looked; not an explanation"),
}
GRADIENTS = ("grad_norm", "grad_x_input")


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
    for method in methods:
        if method not in METHODS:
            raise BadInput(f"expected a saliency method of {', '.join(METHODS)}, found {method!r}")
    asked = make_subject(model, prompt_ids, answer_ids, foil_ids, positions)
    absent = _absent(asked, absent_id)
    once = _Once(asked)
    width = len(prompt_ids) + len(answer_ids) - 1
    made = {}
    for method in methods:
        tick(method)
        scores, change = _scores(once, method, absent, steps, scan, layer, groups, batch)
        scores = torch.where(asked.visible(), scores, torch.zeros_like(scores))
        gap = None if change is None else ((scores.sum(1) - change).abs() / change.abs().clamp_min(1e-12))
        made[method] = Saliency(
            method=method,
            positions=asked.positions,
            n_prompt=asked.n_prompt,
            scores=torch.nn.functional.pad(scores, (0, width - scores.shape[1])).float().cpu(),
            value=once.value.float().cpu(),
            baseline="" if method in GRADIENTS or method == "attention" else _baseline_words(absent_id),
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


class _Once:
    """What several methods need of one subject, computed when the first of them asks."""

    def __init__(self, asked: Subject) -> None:
        self.asked = asked

    @cached_property
    def gradients(self) -> tuple[Tensor, Tensor, Tensor]:
        """Values [K], gradients [K, S, D], embeddings [S, D]."""
        return gradient.embedding_gradients(self.asked)

    @cached_property
    def value(self) -> Tensor:
        """f of every answer token in question: [K]."""
        if "gradients" in self.__dict__:
            return self.gradients[0]
        with torch.no_grad():
            return self.asked.measure(self.asked.embeddings()[None])[0]


def _scores(
    once: _Once,
    method: str,
    absent: Tensor,
    steps: int,
    scan: int,
    layer: int | None,
    groups: Sequence[int] | None,
    batch: int,
) -> tuple[Tensor, Tensor | None]:
    """Scores [K, S], and the change [K] that the scores of a complete method sum to."""
    asked = once.asked
    if method in GRADIENTS:
        _, gradients, x = once.gradients
        reduce = gradient.grad_norm if method == "grad_norm" else gradient.grad_x_input
        return reduce(gradients, x), None
    if method == "integrated_gradients":
        return integrated.integrated_gradients(asked, absent, steps, scan, batch)
    if method == "layer_integrated_gradients":
        middle = len(blocks(asked.model)) // 2
        chosen = middle if layer is None else layer
        return integrated.layer_integrated_gradients(asked, absent, chosen, steps, scan, batch)
    if method == "occlusion":
        return removal.occlusion(asked, absent, batch)[0], None
    if method == "shapley":
        of_token = _groups(asked, groups)
        by_group, change = removal.shapley(asked, absent, of_token, batch)
        return _spread(by_group, of_token), change
    return attention.mean_attention(asked), None


def _absent(asked: Subject, absent_id: int | None) -> Tensor:
    """The embeddings [S, D] of a text in which all but the first id is absent."""
    x = asked.embeddings()
    if absent_id is None:
        absent = torch.zeros_like(x)
    else:
        absent = asked.model.get_input_embeddings()(torch.full_like(asked.ids, absent_id)).detach()
    absent[0] = x[0]
    return absent


def _baseline_words(absent_id: int | None) -> str:
    return "zero embedding, first token kept" if absent_id is None else f"token {absent_id}, first token kept"


def _groups(asked: Subject, groups: Sequence[int] | None) -> Tensor:
    if groups is None or len(groups) != asked.n_prompt or max(groups) < 0:
        found = "none" if groups is None else f"{len(groups)} group numbers up to {max(groups, default=-1)}"
        raise BadInput(
            f"expected for shapley a part number from 0 for each of {asked.n_prompt} prompt tokens, found {found}"
        )
    answer = [-1] * (len(asked.ids) - asked.n_prompt)
    return torch.tensor([*groups, *answer], device=asked.ids.device)


def _spread(by_group: Tensor, of_token: Tensor) -> Tensor:
    """[K, G] -> [K, S]: the score of a part in equal parts to its tokens, 0 to tokens of none."""
    size = torch.stack([(of_token == g).sum() for g in range(by_group.shape[1])]).clamp_min(1)
    each = torch.nn.functional.pad(by_group / size, (0, 1))  # the last column is group -1
    return each[:, of_token]
