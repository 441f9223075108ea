"""EDGE: the measures that train again, by the recipe of one size: LDS, removal, planted and mislabelled facts."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from attribution.model.sequence import begin_token
from indexer.config.config import Recipe
from indexer.corpus.prompt import Prompt
from indexer.evaluate.measures.lds import Retrainings, averaged
from indexer.evaluate.measures.lds_figures import complete, lds_figures
from indexer.evaluate.measures.mislabelled import LEAST
from indexer.evaluate.measures.planted import Planted, invented, planted_figures
from indexer.evaluate.measures.predicted_measured import bin_columns
from indexer.evaluate.measures.removal import N_RANDOM, Answered, possible, removal_figures, removals
from indexer.evaluate.measures.slope import calibration_columns, removal_slopes, slope_figures
from indexer.evaluate.mislabelled import measure_mislabelled
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import Question, of_answer, of_document, of_end, of_prompts
from indexer.evaluate.protocol.scale import DAMPINGS, REMOVED_BY, Scale, recipe_of, removal_recipe
from indexer.evaluate.scoring.predicted import predicted_by
from indexer.evaluate.siblings.halves import queries
from indexer.evaluate.siblings.retrain import Outcome, Training, retrained
from indexer.evaluate.siblings.retrain import measured as asked_of
from indexer.evaluate.siblings.retrainings import Order, parts_of, retrain_parts, train_ordered, trained_rows
from indexer.evaluate.siblings.siblings import (
    on_random_part,
    train_siblings,
    well_read,
    with_invented,
    with_mislabelled,
)
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.stages import key
from indexer.processes.progress import Reporter, timed
from indexer.size.member import Member

RESAMPLED = "models and queries, ceiling by query"  # how intervals are taken


def measure_with_training(
    folder: Path,
    of: Member,
    recipe: Recipe,
    prompts: Sequence[Prompt],
    scale: Scale,
    n_processes: int,
    report: Reporter,
) -> tuple[Member, list[Question]]:
    """Everything here; returns the sibling on a random part of the corpus, and what it was asked."""
    facts = invented(scale.planted, scale.seed)
    wanted = [on_random_part(of, recipe, scale), with_invented(of, recipe, facts, scale)]
    wanted.append(well_read(of, recipe, prompts, scale))
    mislabelled, swapped = with_mislabelled(of, recipe, scale)
    wanted += [mislabelled] if swapped.wrong else []
    name = of.entry.name
    with timed(report, f"{name}: siblings"):
        plain, planted, reader, *wrong = train_siblings(folder, of, wanted, n_processes, report)
    with timed(report, f"{name}: LDS"):
        asked = measure_lds(folder, of, plain, recipe, scale, n_processes, report)
    with timed(report, f"{name}: planted facts"):
        measure_planted(folder, of, planted, recipe, facts, scale, report)
    with timed(report, f"{name}: removal"):
        measure_removal(folder, of, reader, recipe, prompts, scale, n_processes, report)
    for sibling in wrong:
        with timed(report, f"{name}: mislabelled facts"):
            measure_mislabelled(folder, of, sibling, plain, recipe_of(recipe, scale), swapped, scale, report)
    if not wrong:
        report.say(f"{name}: no {LEAST} documents say the same of different subjects: no mislabelled facts")
    return plain, asked


def measure_lds(
    folder: Path, of: Member, reference: Member, recipe: Recipe, scale: Scale, n_processes: int, report: Reporter
) -> list[Question]:
    """LDS of every method on the reference; returns what was asked."""
    name, small = reference.entry.name, recipe_of(recipe, scale)
    n = len(reference.documents)
    own = queries(n, scale.queries, scale.seed)
    halves, *others = wanted = parts_of(scale)
    with report.task(f"{name}: models on random parts of its documents", sum(each.n for each in wanted)) as task:
        by_seed, *rest = (retrain_parts(folder, reference, small, each, own, n_processes, task.tick) for each in wanted)
    asked = [of_document(reference, int(i)) for i in own]
    predicted = predicted_by(folder, reference, asked, "lds", report, DAMPINGS, turned=scale.full)
    by_method = predicted.by_method

    def how(models: Sequence[Retrainings], share: float) -> str:
        seeds = len(complete(models))
        return (
            f"{len(models[0].measured)} models of {name} on random {share:.0%} of {n:,} documents, "
            f"{small.epochs} epochs{f', mean of {seeds} seeds' if seeds > 1 else ''}; "
            f"{len(asked)} of these documents as queries"
        )

    def measure() -> list[Figure]:
        found = lds_figures(by_method, by_seed, how(by_seed, halves.share), behind="lds_behind")
        for each, models in zip(others, rest, strict=True):
            names = (f"lds_part@{100 * each.share:g}", f"lds_part_without_self@{100 * each.share:g}")
            found += lds_figures(by_method, models, how(models, each.share), *names)
        return found

    made_of = key(predicted=predicted.key, scale=asdict(scale), recipe=recipe, resampled=RESAMPLED)
    measured_at(scale, folder, "lds", of, made_of, measure, recipe)

    truth, n_targets = averaged(complete(by_seed)), [each.n_targets for each in asked]

    def slopes() -> list[Figure]:
        return slope_figures(by_method, truth, n_targets, how(by_seed, halves.share))

    def calibration(figures: Sequence[Figure]) -> dict[str, dict[str, list[object]]]:
        model_id = of.loaded.weights_hash
        bins = bin_columns(model_id, by_method, truth, n_targets, figures)
        rows = calibration_columns(model_id, of.config.scores.damping, figures)
        return {"calibration": rows, "calibration_bin": bins}

    measured_at(scale, folder, "slope", of, key(lds=made_of, slope=3), slopes, recipe, calibration)
    return asked


def measure_removal(
    folder: Path,
    of: Member,
    reference: Member,
    recipe: Recipe,
    prompts: Sequence[Prompt],
    scale: Scale,
    n_processes: int,
    report: Reporter,
) -> None:
    """Answers of models that are trained without the documents that a method blames.

    reference: a sibling that has learned its documents well; the one that the LDS is taken on writes too few answers
    to lose any.
    """
    name = reference.entry.name
    if not possible(scale.removals, len(reference.rows)):
        report.say(f"{name}: fewer than {min(scale.removals) + 1} documents: no removal")
        return
    small = removal_recipe(recipe, scale)
    asked, before = _written(reference, prompts, scale)
    if not asked:
        report.say(f"{name}: it writes none of the answers that it is asked for: no removal")
        return
    predicted = predicted_by(folder, reference, asked, "removal", report)
    blamed = {method: predicted.by_method[method] for method in REMOVED_BY}
    wanted = removals(blamed, scale.removals, len(reference.rows), 0)
    n, end = len(reference.rows), begin_token(reference.loaded.tokenizer)
    ids = tuple(each.ids for each in asked)
    orders = [
        Order(
            f"{name}.without-{each.name}",
            Training(small, end, trained_rows(reference, each.kept(n)), ids),
        )
        for each in wanted
    ]
    train_ordered(folder, f"{name}: models without blamed documents", orders, n_processes, report)
    how = (
        f"{len(asked)} answers that {name} writes, {n:,} documents, {small.epochs} epochs; trained again "
        "without the documents"
    )

    def measure() -> list[Figure]:
        after = [
            (each, _answered(retrained(folder, order.name, order.training), asked))
            for each, order in zip(wanted, orders, strict=True)
        ]
        return [*removal_figures(before, after, how), *removal_slopes(blamed, before, after, how)]

    made_of = key(
        predicted=predicted.key, scale=asdict(scale), recipe=recipe, methods=REMOVED_BY, slope=2, random=N_RANDOM
    )
    measured_at(scale, folder, "removal", of, made_of, measure, recipe)


def measure_planted(
    folder: Path, of: Member, planted: Member, recipe: Recipe, facts: Sequence[Planted], scale: Scale, report: Reporter
) -> None:
    """Invented facts among the documents of one more sibling, its last ones: does each method find what states it?"""
    n = len(planted.documents)
    places = range(n - len(facts), n)
    asked = [of_answer(planted, fact.prompt, fact.answer, (i,)) for fact, i in zip(facts, places, strict=True)]
    predicted = predicted_by(folder, planted, asked, "planted", report)
    how = f"{len(facts)} invented facts among {n:,} documents, {recipe_of(recipe, scale).epochs} epochs"
    made_of = key(predicted=predicted.key, scale=asdict(scale))
    measured_at(
        scale, folder, "planted", of, made_of, lambda: planted_figures(predicted.by_method, places, how), recipe
    )


def _written(reference: Member, prompts: Sequence[Prompt], scale: Scale) -> tuple[list[Question], Answered]:
    """Answers that the reference writes: those of the prompts, then ends of its documents where these are too few."""
    ends = [of_end(reference, int(i)) for i in queries(len(reference.rows), 5 * scale.removal_queries, scale.seed)]
    asked = [*of_prompts(reference, prompts), *ends]
    end = begin_token(reference.loaded.tokenizer)
    found = _answered(Outcome(*asked_of(reference.loaded.model, [each.ids for each in asked], end)), asked)
    kept = np.flatnonzero(found.right)[: scale.removal_queries]
    return [asked[i] for i in kept], Answered(found.logp[kept], found.right[kept])


def _answered(of: Outcome, asked: Sequence[Question]) -> Answered:
    stops = np.cumsum([len(each.ids) - 1 for each in asked])
    spans = [slice(stop - (len(each.ids) - each.first), stop) for each, stop in zip(asked, stops, strict=True)]
    return Answered(
        np.array([of.logp[span].mean() for span in spans], dtype=np.float64),
        np.array([of.right[span].all() for span in spans]),
    )
