"""EDGE: EK-FAC factors of one size, fitted on a shuffled sample of the documents in a process of their own."""

import gc
from functools import partial
from pathlib import Path

from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from indexer.config.config import Config, Model
from indexer.corpus.stored import at_hand
from indexer.journal.away import asked
from indexer.journal.part import FITTING, Partition, Tick
from indexer.journal.stages import Finished, found, is_finished, key, stage
from indexer.processes.child import is_child
from indexer.size.fit_parts import FitParts
from indexer.size.fitted import Fitted
from indexer.size.member import Member, open_member

EARLIER = "earlier"  # a file of a fit that was interrupted: the seconds before


def fit(folder: Path, member: Member, tick: Tick | None = None) -> Fitted:
    """The factors of a size: fitted if need be, then read and checked against the weights. `tick(share, what)` tells
    per cent of the fit; one that was interrupted goes on from its last finished part."""
    name, parts = member.entry.name, FitParts(folder / f"{FITTING}-{member.entry.name}", _key(member))
    here = partial(_fit, member, parts)
    compute = partial(_compute, member.entry, member.config, parts) if asked() is None else here
    [part] = stage(
        folder, factors_stage(name), _key(member), ["all"], compute, isolate=not is_child(), tick=tick, away=True
    )
    parts.remove()
    parent = fit(folder, member.parent) if member.parent else None
    return Fitted(member, load_factors(part.folder, member.tracked, intact=True), parent)


def is_fitted(folder: Path, member: Member) -> bool:
    """Whether `fit` has only to read."""
    return is_finished(folder, factors_stage(member.entry.name), _key(member), ["all"])


def fitted_before(folder: Path, member: Member) -> Fitted:
    """The factors that a build has left; BadInput when there are none of these weights, documents and settings."""
    [part] = found(folder, factors_stage(member.entry.name), _key(member), ["all"])
    parent = fitted_before(folder, member.parent) if member.parent else None
    return Fitted(member, load_factors(part.folder, member.tracked, intact=True), parent)


def seconds_of(part: Finished) -> float:
    """That a fit took, what was done before it was interrupted too."""
    earlier = float((part.folder / EARLIER).read_text()) if EARLIER in part.files else 0.0
    return part.seconds + earlier


def factors_stage(size: str) -> str:
    """Name of the stage in the journal."""
    return f"factors-{size}"


def _key(member: Member) -> str:
    """Rates: of tokens, in the embedding's curvature, which was once a square for each row of the sample."""
    of_embedding = {"embedding": "rates"} if member.tracked.embedding else {}
    return key(base=member.base_key, factors=member.config.factors, **of_embedding)


def _compute(entry: Model, config: Config, parts: FitParts, part: Partition) -> None:
    """In a child process: kronfluence keeps state for the whole process."""
    gc.freeze()  # it collects garbage again and again, and would look at every module each time
    _fit(open_member(entry, config, partial(at_hand, config.output.folder)), parts, part)


def _fit(member: Member, parts: FitParts, part: Partition) -> None:
    """A process that computes for another one is a child already."""
    earlier, settings = parts.seconds, member.config.factors
    fit_factors(
        member.tracked,
        member.own_rows,
        part.folder,
        n_documents=settings.documents,
        n_eigenvalues=settings.eigenvalue_documents,
        seed=settings.seed,
        kept=parts,
        tick=part.tick,
    )
    if earlier:
        (part.folder / EARLIER).write_text(f"{earlier:.3f}\n")
