"""EDGE: fits the curvature of a model on a shuffled sample of its training documents, into a factor folder.

kronfluence adds up the covariances of linear layers; eigenvalues and the embedding's Fisher are ours. Labels are
sampled from the model: the true Fisher, which for a softmax is the Gauss–Newton matrix.
"""

import math
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import kronfluence
import torch

from attribution.curvature.fit_embedding import embedding_fisher, in_order
from attribution.curvature.fit_linear import LinearFit
from attribution.curvature.fit_plan import kept_plan, plan_fit
from attribution.curvature.ghost_norm import gradient_norms
from attribution.curvature.kronfluence import windows
from attribution.curvature.parts import Kept, Progress, Scratch, Sums, Tick, lacks_memory, make_each, named
from attribution.curvature.store import EMBEDDING, LAMBDA, write_factors, write_manifest
from attribution.curvature.work import cut, fit_work, lengths, of_part, state_bytes
from attribution.errors import BadInput
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row
from attribution.passes.token_rates import TokenRates, coverage, token_rates


def fit_factors(
    tracked: Tracked,
    documents: Sequence[Row],
    folder: Path,
    *,
    n_documents: int = 2000,
    n_eigenvalues: int = 2000,
    seed: int = 0,
    kept: Kept | None = None,
    tick: Tick | None = None,
) -> None:
    """Fit on `n_documents` drawn with `seed`, the corrected eigenvalues on `n_eigenvalues` of them: they need every
    document's own gradient in the eigenbasis, which for large layers costs ten times a plain pass.

    A fit that takes long (`work.py`) is done in parts that `kept` holds, and goes on from those that it has; without
    it, in one go; the numbers are the same bit for bit. `tick(share, what)` tells per cent that were done since, and at
    what it is. The folder is complete when `factors.json` is in it.

    A document whose gradient is not finite is left out. Raises BadInput where no document has a token to learn.
    """
    told = _Told(tick or (lambda share, what: None))
    sample = draw(documents, n_documents, seed)
    n_rows = max((of.n_out for of in tracked.embedding), default=0)
    rates = token_rates(documents if n_rows else (), n_rows)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        scratch = Path(name)
        try:
            files = _fit(tracked, sample, rates, n_eigenvalues, seed, folder, scratch, kept, told.tick)
        except RuntimeError as error:  # labels from, or eigenvectors of, what is not finite
            if lacks_memory(error):
                raise BadInput(
                    f"expected memory for documents of up to {max(map(len, sample)):,} tokens in the fit, found none "
                    "left; set [corpus] window, or fewer [factors] layers"
                ) from None
            finite = with_finite_gradient(tracked, sample, kept or Scratch(scratch), told.begin_again)
            if len(finite) == len(sample):
                raise
            sample = finite
            files = _fit(tracked, sample, rates, n_eigenvalues, seed, folder, scratch, kept, told.tick)
    counts = {"documents": len(sample), "eigenvalues": min(n_eigenvalues, len(sample))}
    settings = counts | {"seed": seed, "kronfluence": kronfluence.__version__}
    covered = coverage(rates, token_rates(sample, len(rates.read))) if tracked.embedding else None
    write_manifest(folder, tracked, settings, files, covered)


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


def with_finite_gradient(
    tracked: Tracked, sample: list[Row], kept: Kept, tick: Callable[[int], None] | None = None
) -> list[Row]:
    """The documents whose gradient is finite; raises BadInput where there is none."""
    costs = lengths(sample) * 3 * tracked.loaded.n_params
    parts = named("gradients", cut(costs, range(len(sample)), of_part(tracked.device.type, 0)), len(sample))

    def make(items: range) -> Sums:
        norms = gradient_norms(tracked, sample[items.start : items.stop], tick=tick)
        return {str(i): torch.tensor(norm) for i, norm in zip(items, norms, strict=True)}

    norms = make_each(parts, kept, make, lambda items: None)
    finite = [document for i, document in enumerate(sample) if torch.isfinite(norms[str(i)])]
    if not finite:
        raise BadInput(f"expected documents with a finite gradient, found none of {len(sample)}; check the weights")
    return finite


def _fit(
    tracked: Tracked,
    sample: list[Row],
    rates: TokenRates,
    n_eigenvalues: int,
    seed: int,
    folder: Path,
    scratch: Path,
    kept: Kept | None,
    tick: Tick,
) -> dict[str, str]:
    """All files of the factors, with the hash of each; raises RuntimeError where they are not finite."""
    fewer = draw(sample, n_eigenvalues, seed)
    rows, fewer_rows, documents = (lengths(of) for of in (windows(sample), windows(fewer), in_order(sample)))
    plan = plan_fit(tracked)
    work, most = (
        fit_work(tracked, rows, fewer_rows, documents, plan.n_passes),
        of_part(tracked.device.type, state_bytes(tracked)),
    )
    if kept is None or work.total <= most:
        kept, most = Scratch(scratch), math.inf
    else:
        plan = kept_plan(plan, kept, len(sample))
        work = fit_work(tracked, rows, fewer_rows, documents, plan.n_passes)
    progress = Progress(tick, work)
    found = LinearFit(tracked, sample, fewer, seed, work, plan).run(kept, most, progress)
    if tracked.embedding:
        blocks = embedding_fisher(tracked, sample, rates, seed, kept, most, work.embedding, progress, plan.tokens)
        found[EMBEDDING] = {layer.name: of for layer, of in zip(tracked.embedding, blocks, strict=True)}
    return write_factors(folder, found, {LAMBDA: len(fewer)})


class _Told:
    """What was told of a fit, so that it can be taken back."""

    def __init__(self, tick: Tick) -> None:
        self._tick, self._done, self._looked = tick, 0.0, 0

    def tick(self, share: float, what: str) -> None:
        self._done += share
        self._tick(share, what)

    def begin_again(self, n: int) -> None:
        """After n more documents were looked at for a gradient that is not finite."""
        self._looked += n
        self.tick(-self._done, f"gradients: document {self._looked}")
