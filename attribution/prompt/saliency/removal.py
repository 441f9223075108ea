"""What happens when tokens are put out of sight: occlusion of single tokens and Shapley values of groups, by captum.

A removed token keeps its place but gets the embedding `absent`. With v(A) the value when the groups A are present:

    occlusion   s_ki = v_k(all) - v_k(all without i)                                        Zeiler and Fergus 2014
    Shapley     s_kg = mean over orders of  v_k(before g, and g) - v_k(before g)            Shapley 1953

captum (FeatureAblation, ShapleyValueSampling) is given the presences as its features; one forward pass serves all
answer tokens. Up to `EXACT` groups every subset is measured and the Shapley values are exact.
"""

from collections.abc import Callable

import torch
from captum.attr import FeatureAblation, ShapleyValueSampling
from torch import Tensor

from attribution.prompt.saliency.shapley import EXACT, exact_shapley, subsets
from attribution.prompt.saliency.subject import Subject

ORDERS = 25  # sampled orders above EXACT groups, captum's default


def occlusion(subject: Subject, absent: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """Scores [K, S] of removing each token alone, and f of the whole [K]."""
    alone = torch.arange(len(subject.ids), device=subject.ids.device)
    value = presence_value(subject, absent, alone, batch)
    everything = torch.ones(1, len(alone), device=alone.device)
    scores = FeatureAblation(value).attribute(everything, perturbations_per_eval=batch)
    return scores, value(everything)[0]


def shapley(subject: Subject, absent: Tensor, groups: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """Scores [K, G] of the groups, and the change v(all) - v(none) [K] that they sum to.

    groups: [S] the group of each token, from 0; -1 is never removed.
    """
    n_groups = int(groups.max()) + 1
    value = presence_value(subject, absent, groups, batch)
    everything = torch.ones(1, n_groups, device=groups.device)
    change = (value(everything) - value(torch.zeros_like(everything)))[0]
    if n_groups <= EXACT:
        measured = value(torch.from_numpy(subsets(n_groups)).to(everything))  # [2^G, K]
        exact = torch.from_numpy(exact_shapley(measured.double().cpu().numpy()))  # [G, K]
        return exact.T.to(change), change
    seed = torch.random.get_rng_state()
    torch.manual_seed(0)  # captum draws the orders from torch's global generator
    try:
        scores = ShapleyValueSampling(value).attribute(everything, n_samples=ORDERS, perturbations_per_eval=batch)
    finally:
        torch.random.set_rng_state(seed)
    return scores[0], change  # captum keeps a batch of one: [1, K, G]


def spread(by_group: Tensor, of_token: Tensor) -> Tensor:
    """[K, G] -> [K, S]: the score of a group in equal parts to its tokens, 0 to tokens of none."""
    size = torch.stack([(of_token == g).sum() for g in range(by_group.shape[1])]).clamp_min(1)
    each = torch.nn.functional.pad(by_group / size, (0, 1))  # the last column is group -1
    return each[:, of_token]


def presence_value(subject: Subject, absent: Tensor, groups: Tensor, batch: int) -> Callable[[Tensor], Tensor]:
    """v: presences [B, G] in {0, 1} -> f [B, K], at most `batch` rows in a forward pass."""
    x = subject.embeddings()

    @torch.no_grad()
    def value(presence: Tensor) -> Tensor:
        always = torch.ones(len(presence), 1, device=presence.device)
        present = torch.cat([presence, always], dim=1)[:, groups] > 0.5  # [B, S]; group -1 is the last column
        return torch.cat([subject.measure(torch.where(rows[..., None], x, absent)) for rows in present.split(batch)])

    return value
