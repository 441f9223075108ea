"""The saliency of one answer: every token against every token before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PromptMap:
    """K answer tokens against S = P + K - 1 earlier ones: those of the prompt, then of the answer itself.

    scores: [K, S], NaN where a source comes after the token or nothing was measured. Unit: nats for methods that sum to
    a change of log p or stand for one (grad_x_input, the integrated ones, occlusion, shapley); grad_norm in nats per
    unit of embedding, attention a mean weight.
    """

    method: str
    tokens: tuple[str, ...]  # [K]
    sources: tuple[str, ...]  # [S]
    n_prompt: int  # P
    scores: NDArray[np.float64]

    def table(self) -> pd.DataFrame:
        """One row for each pair that was measured: position, token, source_position, source, score."""
        import pandas as pd

        rows, columns = np.nonzero(np.isfinite(self.scores))
        return pd.DataFrame(
            {
                "position": rows,
                "token": [self.tokens[k] for k in rows],
                "source_position": columns,
                "source": [self.sources[s] for s in columns],
                "score": self.scores[rows, columns],
            }
        )
