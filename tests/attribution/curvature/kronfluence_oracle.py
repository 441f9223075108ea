"""kronfluence 1.0.1 as oracle: the same model, documents, factors and damping, its own scorer.

A query is a `Row` of which only the last token is a target. Its loss is −log p, so kronfluence's `+∇L_qᵀ H⁻¹ ∇L`
is `N` times our influence on log p.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from kronfluence.analyzer import Analyzer
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.utils.dataset import DataLoaderKwargs
from torch import Tensor
from torch.utils.data import Dataset

from attribution.curvature.factors import Eigenbasis, Factors
from attribution.curvature.fit import draw
from attribution.curvature.fit_plan import ROWS
from attribution.curvature.kronfluence import Wrapped, columns, inner_name, windows
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row


class Sample(Dataset[Row]):
    """Documents, as kronfluence asks for them."""

    def __init__(self, documents: Sequence[Row]) -> None:
        self.documents = documents

    def __len__(self) -> int:
        return len(self.documents)

    def __getitem__(self, i: int) -> Row:
        return self.documents[i]


class Oracle:
    """One analyzer with fitted factors; only linear layers."""

    def __init__(self, tracked: Tracked, documents: Sequence[Row], folder: Path, n_documents: int, seed: int = 0):
        self.tracked, self.sample = tracked, draw(documents, n_documents, seed)
        self.n_windows = 2 if documents[0].preference is not None else 1
        self.wrapped = Wrapped(tracked, seed, self.n_windows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.analyzer = Analyzer(
                analysis_name="fit",
                model=self.wrapped.model,
                task=self.wrapped.task,
                cpu=tracked.device.type == "cpu",
                disable_tqdm=True,
                output_dir=str(folder),
            )
            self.analyzer.set_dataloader_kwargs(DataLoaderKwargs(collate_fn=columns))
            named: Any = {
                "factors_name": "ekfac",
                "factor_args": FactorArguments(strategy="ekfac"),
                "overwrite_output_dir": True,
            }
            first, second = (Sample(windows(of)) for of in (self.sample, draw(self.sample, n_documents, seed)))
            self.analyzer.fit_covariance_matrices(dataset=first, per_device_batch_size=ROWS, **named)
            self.analyzer.perform_eigendecomposition(**named)
            self.analyzer.fit_lambda_matrices(dataset=second, per_device_batch_size=ROWS, **named)

    @property
    def factors(self) -> Factors:
        """The same factors, read by us; kronfluence counts windows, we count documents."""
        vectors, sums = self.analyzer.load_eigendecomposition("ekfac"), self.analyzer.load_lambda_matrices("ekfac")

        def of(layer: Layer) -> Eigenbasis:
            name = inner_name(layer, self.n_windows)
            assert int(sums["num_lambda_processed"][name]) == len(windows(self.sample))
            lam = (sums["lambda_matrix"][name].double() / len(self.sample)).float()
            Q_A, Q_S = (vectors[f"{side}_eigenvectors"][name] for side in ("activation", "gradient"))
            return Eigenbasis(Q_A, Q_S, lam)

        return Factors(
            tuple(layer.name for layer in self.tracked.linear), tuple(map(of, self.tracked.linear)), (), "oracle"
        )

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
