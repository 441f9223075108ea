"""EDGE: fits the curvature of a model on a shuffled sample of its training documents, into a factor folder.

kronfluence fits the linear layers, the embedding's Fisher is ours. Labels are sampled from the model: the true Fisher,
which for a softmax is the Gauss–Newton matrix.
"""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import kronfluence
import numpy as np
import torch
from safetensors.torch import load_file, save_file

from attribution.curvature.fit_embedding import embedding_fisher
from attribution.curvature.ghost_norm import gradient_norms
from attribution.curvature.kronfluence import Tick, fit_linear, named_as_layers, of_documents
from attribution.curvature.store import COUNTS, FISHER, KRONFLUENCE, write_manifest
from attribution.errors import BadInput
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row


def fit_factors(
    tracked: Tracked,
    documents: Sequence[Row],
    folder: Path,
    *,
    n_documents: int = 2000,
    n_eigenvalues: int = 2000,
    seed: int = 0,
    tick: Tick | None = None,
) -> None:
    """Fit on `n_documents` drawn with `seed`, the corrected eigenvalues on `n_eigenvalues` of them: they need every
    document's own gradient in the eigenbasis, which for large layers costs ten times a plain pass. `tick(n)` after n
    documents of a pass. The folder is complete when `factors.json` is in it.

    A document whose gradient is not finite is left out. Raises BadInput where no document has a token to learn.
    """
    tick = tick or (lambda n: None)
    sample = draw(documents, n_documents, seed)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _fit(tracked, sample, n_eigenvalues, folder, seed, tick)
    except RuntimeError as error:  # labels from, or eigenvectors of, what is not finite
        if "memory" in str(error):  # torch has no class of its own for it on a CPU
            raise BadInput(
                f"expected memory for documents of up to {max(map(len, sample)):,} tokens in the fit, found none left; "
                "set [corpus] window, or fewer [factors] layers"
            ) from None
        finite = with_finite_gradient(tracked, sample)
        if len(finite) == len(sample):
            raise
        sample = finite
        _fit(tracked, sample, n_eigenvalues, folder, seed, tick)
    counts = {"documents": len(sample), "eigenvalues": min(n_eigenvalues, len(sample))}
    settings = counts | {"seed": seed, "kronfluence": kronfluence.__version__}
    write_manifest(folder, tracked, settings)


def draw(documents: Sequence[Row], n_documents: int, seed: int) -> list[Row]:
    """A random sample, shortest first: batches of one length waste no padding, and the order changes nothing.

    Of a document that training saw several times every copy may be drawn, as one that was seen once.
    """
    seen = ((i, document) for i, document in enumerate(documents) if document.targets().any())
    learned = [i for i, document in seen for _ in range(document.times)]
    if not learned:
        raise BadInput("expected documents with at least one token to learn, found none; check the corpus")
    n = min(n_documents, len(learned))
    chosen = random.Random(seed).sample(learned, n)  # noqa: S311 - a sample, not a secret
    return sorted((documents[i].once for i in chosen), key=len)


def with_finite_gradient(tracked: Tracked, sample: list[Row]) -> list[Row]:
    """The documents whose gradient is finite; raises BadInput where there is none."""
    finite = np.isfinite(gradient_norms(tracked, sample))
    if not finite.any():
        raise BadInput(f"expected documents with a finite gradient, found none of {len(sample)}; check the weights")
    return [document for document, kept in zip(sample, finite, strict=True) if kept]


def _fit(tracked: Tracked, sample: list[Row], n_eigenvalues: int, folder: Path, seed: int, tick: Tick) -> None:
    """Write all files of the factors; raises RuntimeError where they are not finite."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fewer = draw(sample, n_eigenvalues, seed)
        fitted = fit_linear(tracked, sample, fewer, Path(scratch), seed, tick)
        # read without metadata, whose order is random
        files = {name: named_as_layers(load_file(fitted / name), tracked) for name in KRONFLUENCE}
        files[COUNTS] = of_documents(files[COUNTS], fewer)
    if tracked.embedding:
        fisher = embedding_fisher(tracked, sample, seed, tick)
        files[FISHER] = {layer.name: of for layer, of in zip(tracked.embedding, fisher, strict=True)}
    for name, tensors in files.items():
        if not all(bool(torch.isfinite(of).all()) for of in tensors.values()):
            raise RuntimeError(f"{name} is not finite")
        save_file(tensors, folder / name)
