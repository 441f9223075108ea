"""EDGE: the measures that train again, by the recipe of one size: LDS, removal, planted and mislabelled facts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from attribution.model.sequence import begin_token
from indexer.config.config import Recipe
from indexer.corpus.prompt import Prompt
from indexer.evaluate.measures.lds import Agreement, agreement, another_seed, ceiling
from indexer.evaluate.measures.mislabelled import LEAST
from indexer.evaluate.measures.planted import Planted, invented, planted_figures
from indexer.evaluate.measures.removal import Answered, removal_figures, removals
from indexer.evaluate.measures.slope import calibration_columns, removal_slopes, slope_figures
from indexer.evaluate.mislabelled import measure_mislabelled
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import Question, of_answer, of_document, of_end, of_prompts
from indexer.evaluate.protocol.scale import DAMPINGS, REMOVED_BY, Scale, recipe_of, removal_recipe
from indexer.evaluate.scoring.predictions import Predicted, predictions
from indexer.evaluate.scoring.subject import subject
from indexer.evaluate.siblings.halves import queries
from indexer.evaluate.siblings.retrain import Outcome, Training, retrained
from indexer.evaluate.siblings.retrain import measured as asked_of
from indexer.evaluate.siblings.retrainings import Order, retrain_halves, train_ordered, trained_rows
from indexer.evaluate.siblings.siblings import (
    on_random_part,
    train_siblings,
    well_read,
    with_invented,
    with_mislabelled,
)
from indexer.evaluate.statistics.best_method import leader
from indexer.evaluate.statistics.figures import Figure, estimated
from indexer.evaluate.statistics.two_way import Resampled
from indexer.journal.stages import key
from indexer.processes.progress import Reporter
from indexer.size.member import Member


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
    plain, planted, reader, *wrong = train_siblings(folder, of, wanted, n_processes, report)
    asked = measure_lds(folder, of, plain, recipe, scale, n_processes, report)
    measure_planted(folder, of, planted, recipe, facts, scale, report)
    measure_removal(folder, of, reader, recipe, prompts, scale, n_processes, report)
    for sibling in wrong:
        measure_mislabelled(folder, of, sibling, plain, recipe_of(recipe, scale), swapped, scale, report)
    if not wrong:
        report.say(f"{of.entry.name}: no {LEAST} documents say the same of different subjects: no mislabelled facts")
    return plain, asked


def measure_lds(
    folder: Path, of: Member, reference: Member, recipe: Recipe, scale: Scale, n_processes: int, report: Reporter
) -> list[Question]:
    """LDS of every method on the reference; returns what was asked."""
    name = reference.entry.name
    with report.task(f"{name}: models on random halves", scale.halves + scale.second_seeds) as task:
        first, again = retrain_halves(folder, reference, recipe, scale, n_processes, task.tick)
    asked = [of_document(reference, int(i)) for i in first.own]
    predicted = _predicted(folder, reference, asked, "lds", report, DAMPINGS, turned=scale.full)
    twice = scale.second_seeds == scale.halves
    truth = first.averaged(again) if twice else first
    how = (
        f"{scale.halves} models of {name} on random halves of {len(reference.documents):,} documents, "
        f"{recipe_of(recipe, scale).epochs} epochs{', mean of two seeds' if twice else ''}; "
        f"{len(asked)} of these documents as queries"
    )

    def measure() -> list[Figure]:
        seeds = 2 if twice else 1
        one = another_seed(again.measured, first.some(range(scale.second_seeds)))
        figures = _lds("another seed", one, f"{scale.second_seeds} of these halves: one training against another")
        reached = Agreement(ceiling(one.lds, seeds), ceiling(one.lds_without_self, seeds))
        said = f"what the expected outcome would reach: reliability of the mean of {seeds}, from that of another seed"
        figures += _lds("ceiling", reached, said)
        by_method = {method: agreement(of, truth) for method, of in predicted.by_method.items()}
        figures += [each for method, of in by_method.items() for each in _lds(method, of, how)]
        return figures + _behind({method: of.lds_without_self for method, of in by_method.items()}, how)

    made_of = key(predicted=predicted.key, scale=asdict(scale), recipe=recipe, how=how, resampled="models and queries")
    measured_at(scale, folder, "lds", of, made_of, measure, recipe)
    measured_at(
        scale,
        folder,
        "slope",
        of,
        key(lds=made_of, slope=1),
        lambda: slope_figures(predicted.by_method, truth, [each.n_targets for each in asked], how),
        recipe,
        lambda figures: {"calibration": calibration_columns(of.loaded.weights_hash, of.config.scores.damping, figures)},
    )
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
    small = removal_recipe(recipe, scale)
    name = reference.entry.name
    asked, before = _written(reference, prompts, scale)
    if not asked:
        report.say(f"{name}: it writes none of the answers that it is asked for: no removal")
        return
    predicted = _predicted(folder, reference, asked, "removal", report)
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

    made_of = key(predicted=predicted.key, scale=asdict(scale), recipe=recipe, methods=REMOVED_BY, slope=1)
    measured_at(scale, folder, "removal", of, made_of, measure, recipe)


def measure_planted(
    folder: Path, of: Member, planted: Member, recipe: Recipe, facts: Sequence[Planted], scale: Scale, report: Reporter
) -> None:
    """Invented facts among the documents of one more sibling, its last ones: does each method find what states it?"""
    n = len(planted.documents)
    places = range(n - len(facts), n)
    asked = [of_answer(planted, fact.prompt, fact.answer, (i,)) for fact, i in zip(facts, places, strict=True)]
    predicted = _predicted(folder, planted, asked, "planted", report)
    how = f"{len(facts)} invented facts among {n:,} documents, {recipe_of(recipe, scale).epochs} epochs"
    made_of = key(predicted=predicted.key, scale=asdict(scale))
    measured_at(
        scale, folder, "planted", of, made_of, lambda: planted_figures(predicted.by_method, places, how), recipe
    )


def _predicted(
    folder: Path,
    member: Member,
    asked: Sequence[Question],
    what: str,
    report: Reporter,
    dampings: tuple[float, ...] = (),
    turned: bool = False,
) -> Predicted:
    with report.task(f"{member.entry.name}: predictions for {what}", 2 + len(member.entry.checkpoints)) as task:
        ready = subject(folder, member, dampings, turned)
        return predictions(folder, ready, asked, what, lambda n: task.tick(n / len(member.rows)))


def _lds(method: str, of: Agreement, how: str) -> list[Figure]:
    means = {"lds": of.lds, "lds_without_self": of.lds_without_self}
    return [estimated(method, name, mean.interval(), how) for name, mean in means.items()]


def _behind(means: Mapping[str, Resampled], how: str) -> list[Figure]:
    """How far each method lies below the first, by the same models and queries."""
    first = leader({method: of.value for method, of in means.items()})
    others = {method: means[first].less(of) for method, of in means.items() if first and method != first}
    return [estimated(method, "lds_behind", of.interval(), f"below {first}; {how}") for method, of in others.items()]


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
