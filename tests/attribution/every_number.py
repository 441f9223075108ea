"""Every number of the engine on one device, to be compared with the same on another."""

import numpy as np
import torch

from attribution.curvature.blocks import Preconditioner, damp, no_curvature
from attribution.curvature.ghost_norm import gradient_norms
from attribution.curvature.stages import across_stages
from attribution.exact.directions import Directions
from attribution.exact.low_rank import factor
from attribution.exact.query import query_directions
from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import token_losses
from attribution.index.corpus_pass import Passed, corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import index_queries
from attribution.index.shards import Shard, products
from attribution.model.tracked import Tracked
from attribution.passes.hidden import hidden_states, query_hidden_states
from attribution.prompt.saliency.saliency import saliencies
from tests.attribution import tiny

N = 50
IDS = (0, 3, 4, 5, 3, 7)
DOCUMENTS = tiny.tiny_documents(12)
OWN = [[6, 0, 3], [1, 2, 6]]
METHODS = ("grad_norm", "grad_x_input", "occlusion", "integrated_gradients")


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
    found = _by_forward_mode(tracked, d) if forward_mode else {}
    return found | {
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
        "index": _estimates(tracked, H, passed),
        "saliency": _saliency(tracked),
        "hidden states": hidden_states(tracked, DOCUMENTS),
        "hidden states of queries": query_hidden_states(tracked, IDS, 4),
    }


def two_stages(pretrained: Tracked, finetuned: Tracked) -> np.ndarray:
    """Scores of documents of pre-training for a query of the fine-tuned model  # [Q, D, L]"""
    factors = [tiny.random_factors(of) for of in (finetuned, pretrained)]
    d = query_directions(finetuned, across_stages(*factors), IDS, 4, negligible=0)
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


def _saliency(tracked: Tracked) -> np.ndarray:
    """Of both gradients, occlusion and integrated gradients  # [M, K, S]"""
    made = saliencies(tracked.loaded.model, IDS[:4], IDS[4:], METHODS, steps=4, scan=8)
    return np.stack([of.scores.numpy() for of in made.values()])
