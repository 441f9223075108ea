"""Where to put the steps of an integral over [0, 1]: evenly in degree (Gauss-Legendre), or where the function bends.

A line between two embeddings leaves the region that a language model was trained on, and f changes abruptly on it:
evenly placed nodes miss the jumps. An integral does not depend on how its path is walked, so a cheap scan of f alone
(no gradient) says where it bends, and every interval gets the same share of that bending:

    density(a) = 9/10 sqrt(max_k |f_k''(a)| / |f_k(1) - f_k(0)|) / total + 1/10

with a four-point Gauss-Legendre rule inside each interval. The tenth that is spread evenly keeps a missed bend
from being skipped altogether.
"""

import numpy as np
import torch
from torch import Tensor

POINTS = 4  # of the rule inside one interval
EVEN = 0.1


def gauss_legendre(steps: int) -> tuple[Tensor, Tensor]:
    """Nodes and weights on [0, 1], exact for polynomials of degree 2 steps - 1: [steps], [steps], float64."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return torch.from_numpy((nodes + 1) / 2), torch.from_numpy(weights / 2)


def bend_following(scan: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Nodes and weights on [0, 1] from f at M + 1 evenly spaced places: scan [M + 1, K] -> [steps], [steps], float64.

    Fewer than four steps, or a scan of fewer than three places, give plain Gauss-Legendre.
    """
    n_intervals = steps // POINTS
    if n_intervals < 1 or len(scan) < 3:
        return gauss_legendre(steps)
    edges = _edges(scan.double(), n_intervals)  # [n_intervals + 1]
    sizes = [POINTS] * n_intervals
    for extra in range(steps - POINTS * n_intervals):
        sizes[extra % n_intervals] += 1
    nodes, weights = [], []
    for low, high, size in zip(edges[:-1], edges[1:], sizes, strict=True):
        inner, share = gauss_legendre(size)
        nodes.append(low + (high - low) * inner)
        weights.append((high - low) * share)
    return torch.cat(nodes), torch.cat(weights)


def _edges(scan: Tensor, n_intervals: int) -> Tensor:
    """Places in [0, 1] between which the density has equal mass: [n_intervals + 1]."""
    change = (scan[-1] - scan[0]).abs().clamp_min(1e-6)
    bend = (scan.diff(dim=0).diff(dim=0).abs() / change).max(1).values  # [M - 1], at the inner places
    density = (torch.cat([bend[:1], bend]) + torch.cat([bend, bend[-1:]])).sqrt()  # [M], per piece between places
    total = density.sum()
    density = density / total if total > 0 else density
    density = (1 - EVEN) * density + EVEN / len(density)
    mass = torch.cat([torch.zeros(1, dtype=density.dtype, device=density.device), density.cumsum(0)]).cpu().numpy()
    places = np.linspace(0.0, 1.0, len(mass))
    return torch.from_numpy(np.interp(np.linspace(0.0, mass[-1], n_intervals + 1), mass, places))
