"""One number for each document, of every kind that a normaliser or a list of odd documents needs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.influence import self_influence, solve_norm

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class DocumentNorms:
    """Of D documents; NaN where one was skipped because its gradient is not finite."""

    loss: Numbers  # [D] summed token loss, nats
    grad_norm: Numbers  # [D] ‖∇L‖, nats
    self_influence: Numbers  # [D] nats: fall of the document's own loss if it were seen once more
    solve_norm: Numbers  # [D] length of the parameter step of seeing it once more
    skipped: tuple[int, ...]


def gathered(table: NDArray[np.float64], n_train: int) -> DocumentNorms:
    """From the loss and the three sums of squares of every document.    table: [D, 4], NaN or infinite where skipped"""
    table = np.where(np.isfinite(table).all(axis=1, keepdims=True), table, np.nan)
    return DocumentNorms(
        loss=table[:, 0].astype(np.float32),
        grad_norm=np.sqrt(table[:, 1]).astype(np.float32),
        self_influence=self_influence(table[:, 2], n_train).astype(np.float32),
        solve_norm=solve_norm(np.sqrt(table[:, 3]), n_train).astype(np.float32),
        skipped=tuple(np.flatnonzero(np.isnan(table[:, 0])).tolist()),
    )
