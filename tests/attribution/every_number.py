"""Every number of the engine on one device, to be compared with the same on another."""

from dataclasses import replace

import numpy as np
import torch

from attribution.components.taught import taught
from attribution.components.units import units
from attribution.curvature.blocks import Preconditioner, damp, no_curvature
from attribution.curvature.ghost_norm import gradient_norms
from attribution.curvature.stages import across_stages
from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import token_losses
from attribution.groups.products import cell_products
from attribution.groups.sums import Sums, add_documents
from attribution.index.corpus_pass import Passed, corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import index_queries
from attribution.index.shards import Shard, products
from attribution.model.tracked import Tracked
from attribution.passes.hidden import hidden_states, query_hidden_states
from attribution.passes.margins import log_ratios
from attribution.passes.preference import Preference
from attribution.prompt.context.ablated import ablate
from attribution.prompt.context.bits import prompt_bits
from attribution.prompt.context.mirage import mirage
from attribution.prompt.saliency.saliency import saliencies
from attribution.prompt.text.parts import Part
from attribution.query.directions import Directions
from attribution.query.low_rank import factor
from attribution.query.solve import continuation_directions, query_directions
from tests.attribution import tiny, tiny_pairs

N = 50
IDS = (0, 3, 4, 5, 3, 7)
DOCUMENTS = tiny.tiny_documents(12)
OWN = [[6, 0, 3], [1, 2, 6]]
METHODS = ("grad_norm", "grad_x_input", "occlusion", "integrated_gradients", "layer_integrated_gradients")
METHODS += ("shapley", "attention")
FOIL = (2, 8, 1)
MEASUREMENTS = ("margin", "mean_logp")


def close(found, expected) -> None:
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.nanmax(np.abs(expected)))


def every_number(tracked: Tracked, forward_mode: bool = True) -> dict[str, np.ndarray]:
    """Every number that the engine gives, by name; `forward_mode`: also those that need such derivatives."""
    factors = tiny.random_factors(tracked)
    H = damp(factors)
    dot = query_directions(tracked, no_curvature(tracked), IDS, 4)
    d = query_directions(tracked, H, IDS, 4, negligible=0)
    passed = corpus_pass(tracked, H, DOCUMENTS, N, budget=10_000)
    norms = passed.norms
    contrast = query_directions(tracked, H, IDS, 5, measurement="contrast", foils=[2], negligible=0)
    low = factor(d, factors, 4)
    wanted = np.zeros((d.n, len(DOCUMENTS)), dtype=bool)
    wanted[0, 2:5] = wanted[1, 4:] = True
    shares = position_shares(tracked, d, DOCUMENTS, OWN, N)
    low_shares = position_shares(tracked, d, DOCUMENTS, OWN, N, factored=low)
    found = {
        "values": d.values.cpu().numpy(),
        "energy": d.energy.cpu().numpy(),
        "scores": score_documents(tracked, d, DOCUMENTS, N).values,
        "wanted scores": score_documents(tracked, d, DOCUMENTS, N, wanted=wanted).values,
        "contrast": score_documents(tracked, contrast, DOCUMENTS, N).values,
        "gradient dot": score_documents(tracked, dot, DOCUMENTS, N).values,
        "loss": norms.loss,
        "gradient norm": norms.grad_norm,
        "self-influence": norms.self_influence,
        "solve norm": norms.solve_norm,
        "ghost norm": gradient_norms(tracked, DOCUMENTS),
        "shares": np.concatenate([share for of in shares for share in of]),
        "shares at rank 4": np.concatenate([share for of in low_shares for share in of]),
        "components": _components(tracked, d),
        "index": _estimates(tracked, H, passed),
        "groups": _groups(tracked, H, d),
        "saliency": _saliency(tracked),
        "hidden states": hidden_states(tracked, DOCUMENTS),
        "hidden states of queries": query_hidden_states(tracked, IDS, 4),
    }
    more = _by_forward_mode(tracked, d) if forward_mode else {}
    return found | more | _of_measurements(tracked, H, d) | _of_pairs(tracked, d) | _of_context(tracked)


def _groups(tracked: Tracked, H: Preconditioner, d: Directions) -> np.ndarray:
    """Products of directions with the sums of two cells."""
    sums = Sums(tracked, 2)
    add_documents(sums, tracked, DOCUMENTS, [0, 1, -1] * 4, lambda _n: None)
    sums.turn(H)
    on_the_host = [of.cpu() for of in sums.by_layer]
    return cell_products(tracked, H, d, [on_the_host]).cpu().numpy()


def _components(tracked: Tracked, d: Directions) -> np.ndarray:
    """What documents taught heads, neurons and biases, and the shares that come along."""
    split = taught(tracked, d, DOCUMENTS, OWN, N, units(tracked), unknown=OWN)
    of = [
        [*each.heads, *each.kv_heads, *each.neuron_scores[:3], each.total, each.bias, *split.shares[pair]]
        for pair, each in sorted(split.taught.items())
    ]
    return np.concatenate(of)


def two_stages(pretrained: Tracked, finetuned: Tracked) -> np.ndarray:
    """Scores of documents of pre-training for a query of the fine-tuned model  # [Q, D, L]"""
    factors = [tiny.random_factors(of) for of in (finetuned, pretrained)]
    d = query_directions(finetuned, across_stages(factors[::-1])[0], IDS, 4, negligible=0)
    return score_documents(pretrained, d, DOCUMENTS, N).values


def _by_forward_mode(tracked: Tracked, d: Directions) -> dict[str, np.ndarray]:
    losses = [one for of in token_losses(tracked, d, DOCUMENTS, OWN, N, n_labels=3) for one in of]
    return {
        "token losses": np.concatenate([one.influences for one in losses]),
        "relabelling": np.concatenate([one.label_influences for one in losses]),
    }


def _estimates(tracked: Tracked, H: Preconditioner, passed: Passed) -> np.ndarray:
    """Of the gradient index  # [K, D]"""
    queries = index_queries(tracked, H, metrics(tracked, H.eigen(tracked), 1024), H, IDS, 4, rank=100, pairs=100)
    energy = torch.zeros(len(DOCUMENTS))
    shard = Shard(0, len(DOCUMENTS), tuple(passed.kept), torch.from_numpy(passed.hidden), energy)
    return products([shard], queries).cpu().numpy()


def _of_measurements(tracked: Tracked, H: Preconditioner, d: Directions) -> dict[str, np.ndarray]:
    """Scores for other numbers than log p."""
    other = continuation_directions(tracked, H, IDS, 4, FOIL, negligible=0)
    asked = {name: query_directions(tracked, H, IDS, 4, measurement=name, negligible=0) for name in MEASUREMENTS}
    spans = query_directions(tracked, H, IDS, 4, spans=[range(d.n), range(1, d.n)], negligible=0)
    asked |= {"another continuation": other, "spans": spans}
    return {name: score_documents(tracked, each, DOCUMENTS, N).values for name, each in asked.items()}


def _of_pairs(tracked: Tracked, d: Directions) -> dict[str, np.ndarray]:
    """Preferences: what the model makes of pairs, and their influence."""
    rows = [replace(row, preference=Preference(0.7, 0.3)) for row in tiny_pairs.unweighted()]
    return {
        "log-ratios of pairs": log_ratios(tracked, tiny_pairs.unweighted()),
        "scores of pairs": score_documents(tracked, d, rows, N).values,
    }


def _of_context(tracked: Tracked) -> dict[str, np.ndarray]:
    """What question and documents did: bits, context sensitivity and its cues, log-odds without each part."""
    model, prompt, answer = tracked.loaded.model, (0, 3, 4, 5, 3), (7, 1)
    parts = [Part(0, "scaffold", "", 0, 1), Part(1, "question", "", 1, 3), Part(2, "document", "", 3, 5)]
    given = (prompt, (0, 1, 1, 2, 2), parts, answer)
    bits, found = prompt_bits(model, *given), mirage(model, *given)
    masks = np.array([[True, True], [False, True], [True, False]])
    return {
        "bits": torch.stack([bits.nothing, bits.question, bits.documents, bits.full, bits.kl, bits.js]).numpy(),
        "cues": torch.cat([found.cti[:, None], found.cci_norm, found.cci_grad_x_input], dim=1).numpy(),
        "log-odds": ablate(model, prompt, (-1, 0, 0, 1, 1), answer, masks).odds,
    }


def _saliency(tracked: Tracked) -> np.ndarray:
    """By every method  # [M, K, S]"""
    made = saliencies(tracked.loaded.model, IDS[:4], IDS[4:], METHODS, steps=4, scan=8, groups=(0, 1, 1, 2))
    return np.stack([of.scores.numpy() for of in made.values()])
