"""kronfluence 1.0.1 as oracle: the same model, documents, factors and damping, its own scorer.

A query is a `Row` of which only the last token is a target. Its loss is −log p, so kronfluence's `+∇L_qᵀ H⁻¹ ∇L`
is `N` times our influence on log p.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from kronfluence.analyzer import Analyzer
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.utils.dataset import DataLoaderKwargs
from torch import Tensor

from attribution.curvature.factors import Factors
from attribution.curvature.fit import draw
from attribution.curvature.kronfluence import BATCH, Sample, columns, kronfluence_analyzer
from attribution.curvature.store import read_kronfluence
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row


class Oracle:
    """One analyzer with fitted factors; only linear layers."""

    def __init__(self, tracked: Tracked, documents: Sequence[Row], folder: Path, n_documents: int, seed: int = 0):
        self.tracked, self.folder = tracked, folder
        self.analyzer: Analyzer = kronfluence_analyzer(tracked, folder, seed, lambda n: None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.analyzer.fit_all_factors(
                factors_name="ekfac",
                dataset=Sample(draw(documents, n_documents, seed)),
                per_device_batch_size=BATCH,
                factor_args=FactorArguments(strategy="ekfac"),
                overwrite_output_dir=True,
            )

    @property
    def factors(self) -> Factors:
        """The same factors, read by us."""
        linear = read_kronfluence(self.folder / "fit" / "factors_ekfac", self.tracked)
        return Factors(tuple(layer.name for layer in self.tracked.linear), linear, (), "oracle")

    def scores(
        self,
        queries: Sequence[Row],
        documents: Sequence[Row],
        *,
        by_position: bool = False,
        rank: int | None = None,
        query_batch: int = 64,
        batch: int = 64,
    ) -> Tensor:
        """`+∇L_qᵀ H⁻¹ ∇L` by layer  # [Q, D, L], or [Q, D, T, L] by position, padded to the longest document"""
        longest = max(len(document) for document in documents)
        fixed = (lambda rows: _widened(columns(rows), longest)) if by_position else columns
        self.analyzer.set_dataloader_kwargs(DataLoaderKwargs(collate_fn=fixed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.analyzer.compute_pairwise_scores(
                scores_name="scores",
                factors_name="ekfac",
                query_dataset=Sample(queries),
                train_dataset=Sample(documents),
                per_device_query_batch_size=query_batch,
                per_device_train_batch_size=batch,
                score_args=ScoreArguments(
                    damping_factor=None,  # 0.1 × mean eigenvalue of each layer
                    compute_per_module_scores=True,
                    compute_per_token_scores=by_position,
                    query_gradient_low_rank=rank,
                ),
                overwrite_output_dir=True,
            )
            found = self.analyzer.load_pairwise_scores("scores")
        return torch.stack([found[layer.name] for layer in self.tracked.linear], dim=-1)


def token_queries(ids: Sequence[int], first: int) -> list[Row]:
    """One query for each token of `ids[first:]`."""
    return [Row(tuple(ids[: at + 1]), first_target=at) for at in range(first, len(ids))]


def _widened(batch: dict[str, Tensor], length: int) -> dict[str, Tensor]:
    missing = length - batch["ids"].shape[1]
    wide = {key: torch.nn.functional.pad(batch[key], (0, missing)) for key in ("ids", "is_target")}
    return {"lengths": batch["lengths"], **wide}
