"""EDGE: the embedding in its eigenbasis, fitted for an evaluation: a candidate for the default, kept as a part."""

from pathlib import Path

from safetensors.torch import load_file, save_file

from attribution.curvature.blocks import Preconditioner
from attribution.curvature.embedding_eigenbasis import embedding_eigenbasis, turned_blocks
from attribution.curvature.fit import draw
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.size.fitted import Fitted


def turned_preconditioner(folder: Path, fitted: Fitted) -> Preconditioner:
    """The fitted curvature with the embedding's diagonal replaced by one in an eigenbasis; on the factors' sample."""
    member = fitted.member
    settings = member.config.factors

    def compute(part: Partition) -> None:
        sample = draw(member.own_rows, settings.documents, settings.seed)
        found = embedding_eigenbasis(member.tracked, sample, settings.seed, lambda n: None)
        tensors = {f"{i}.Q": Q.contiguous() for i, (Q, _) in enumerate(found)}
        tensors |= {f"{i}.L": lam.contiguous() for i, (_, lam) in enumerate(found)}
        save_file(tensors, part.folder / "eigenbasis.safetensors")

    made_of = key(factors=fitted.factors.content_hash, sample=settings)
    [part] = stage(folder, f"eigenbasis-{member.entry.name}", made_of, ["all"], compute)
    stored = load_file(part.folder / "eigenbasis.safetensors")
    device = member.tracked.device
    bases = [(stored[f"{i}.Q"].to(device), stored[f"{i}.L"].to(device)) for i in range(len(member.tracked.embedding))]
    blocks = turned_blocks(bases, member.config.scores.damping)
    return Preconditioner((*fitted.preconditioner.linear(member.tracked), *blocks))
