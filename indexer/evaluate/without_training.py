"""EDGE: the measures that need no recipe: fact tracing, tail patch, stability; for any model of the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import Preconditioner, damp
from attribution.truth.tail_patch import tail_patch
from indexer.corpus.prompt import Prompt
from indexer.evaluate.measures.fact_tracing import fact_tracing
from indexer.evaluate.measures.removal import top
from indexer.evaluate.measures.stability import stability_figures
from indexer.evaluate.protocol.published import measured, measured_at
from indexer.evaluate.protocol.queries import Question, of_prompts
from indexer.evaluate.protocol.scale import Scale
from indexer.evaluate.scoring.gradient_scores import scored
from indexer.evaluate.scoring.predictions import predictions
from indexer.evaluate.scoring.subject import subject
from indexer.evaluate.statistics.figures import Figure, figure
from indexer.journal.stages import key
from indexer.processes.progress import Reporter
from indexer.size.factors import fit
from indexer.size.fitted import Fitted
from indexer.size.member import Member, open_member

PATCHED = ("ekfac", "ekfac / relatif_l", "ekfac_checkpoints", "gradient_cosine", "bm25", "random")
N_PATCHED = 10  # documents of a tail patch
N_STABLE = 20  # queries of the stability figures
OTHER_DAMPINGS = (0.01, 1.0)


def measure_facts(folder: Path, member: Member, prompts: Sequence[Prompt], report: Reporter) -> None:
    """Fact tracing and tail patch over the whole corpus; nothing where no prompt names the documents of its answer."""
    name = member.entry.name
    if member.parent is not None:
        report.say(f"{name}: fine-tuned, its documents belong to two trainings: no fact tracing")
        return
    asked = of_prompts(member, prompts)
    if not asked:
        report.say(f"{name}: no prompt with an answer and the documents that state it (`supports`): no fact tracing")
        return
    with report.task(f"{name}: fact tracing", 2 + len(member.entry.checkpoints)) as task:
        of = subject(folder, member)
        predicted = predictions(folder, of, asked, "facts", lambda n: task.tick(n / len(member.rows)))
    how = f"{len(asked)} prompts, all {len(member.documents):,} documents; f = mean log p of the known answer"
    by_method, supports = predicted.by_method, [each.supports for each in asked]
    made_of = key(predicted=predicted.key, supports=supports, behind="the first")
    model_id = member.loaded.weights_hash
    measured(folder, "facts", name, model_id, made_of, lambda: fact_tracing(by_method, supports, how))
    with report.task(f"{name}: tail patch", 1) as task:
        measured(folder, "tail-patch", name, model_id, made_of, lambda: _tail_patches(member, asked, by_method))
        task.tick()


def _tail_patches(member: Member, asked: Sequence[Question], by_method: dict[str, NDArray[np.float32]]) -> list[Figure]:
    how = f"{len(asked)} prompts, one step on the {N_PATCHED} top documents"
    return [
        figure(
            method,
            "tail_patch",
            [
                tail_patch(member.tracked, [member.rows[i] for i in top(of, N_PATCHED)], each.ids, each.first)
                for each, of in zip(asked, by_method[method], strict=True)
            ],
            how,
        )
        for method in PATCHED
        if method in by_method
    ]


def measure_stability(
    folder: Path, member: Member, asked: Sequence[Question], of: Member, scale: Scale, report: Reporter
) -> None:
    """Another sample and seed of the factors, two other dampings, bfloat16: of a sibling, for the size that it stands
    for."""
    fitted = fit(folder, member)
    asked = asked[:N_STABLE]
    made_of = key(run=fitted.run, asked=[[each.ids, each.first] for each in asked])

    def measure() -> list[Figure]:
        dampings = {f"λ {damping:g}": damp(fitted.factors, damping) for damping in OTHER_DAMPINGS}
        base, *damped = _scores(fitted, asked, dampings)
        others = dict(zip(dampings, damped, strict=True))
        [others["another seed of the factors"]] = _scores(_other_seed(folder, member), asked)
        [others["bfloat16"]] = _scores(_in_bfloat16(fitted), asked)
        how = f"{len(asked)} queries, {len(member.documents):,} documents, λ {member.config.scores.damping:g}, float32"
        return stability_figures(base, others, how)

    with report.task(f"{member.entry.name}: stability", 1) as task:
        measured_at(scale, folder, "stability", of, made_of, measure)
        task.tick()


def _scores(
    fitted: Fitted, asked: Sequence[Question], others: Mapping[str, Preconditioner] = MappingProxyType({})
) -> list[NDArray[np.float32]]:
    """By the fitted curvature, and by others beside it  # [Q, D] each"""
    found = scored(fitted.member, {"ekfac": fitted.preconditioner, **others}, asked)
    return [of.total for of in found.values()]


def _other_seed(folder: Path, member: Member) -> Fitted:
    factors = replace(member.config.factors, seed=member.config.factors.seed + 1)
    entry = replace(member.entry, name=f"{member.entry.name}.seed-{factors.seed}")
    return fit(folder, replace(member, entry=entry, config=replace(member.config, factors=factors)))


def _in_bfloat16(fitted: Fitted) -> Fitted:
    """The same curvature, with gradients that are computed in bfloat16."""
    member = fitted.member
    config = replace(member.config, device=replace(member.config.device, dtype="bfloat16"))
    return replace(fitted, member=open_member(member.entry, config))
