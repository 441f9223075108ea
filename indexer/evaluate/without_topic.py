"""EDGE: models that are trained without a whole topic: does the influence of the group foretell what it loses?"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from attribution.model.sequence import begin_token
from indexer.config.config import Recipe
from indexer.corpus.prompt import Prompt
from indexer.evaluate.measures.without_topic import (
    Numbers,
    WithoutTopics,
    chosen_topics,
    foretold,
    without_topic_figures,
)
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import Question, of_end, of_prompts
from indexer.evaluate.protocol.scale import Scale
from indexer.evaluate.scoring.predictions import predictions
from indexer.evaluate.scoring.subject import subject
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.evaluate.siblings.retrainings import Order, train_ordered, trained_rows
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.stages import key
from indexer.processes.progress import Reporter
from indexer.size.member import Member

OWN = 12  # questions on a topic: prompts, and ends of its documents where these are too few
OTHERS = 12  # ends of documents of no such topic


def measure_without_topic(
    folder: Path,
    of: Member,
    reference: Member,
    recipe: Recipe,
    prompts: Sequence[Prompt],
    scale: Scale,
    n_processes: int,
    report: Reporter,
) -> None:
    """Figures `without_topic_…` of a size.

    reference: the model whose influence is asked for, made by `recipe`: the size itself, or a sibling of it
    """
    name, topics = reference.entry.name, [each.topic for each in reference.documents]
    stated = of_prompts(reference, prompts)
    on = [topics[each.supports[0]] for each in stated]
    left_out = chosen_topics(topics, {topic: on.count(topic) for topic in set(on)}, scale.topics)
    if len(left_out) < scale.topics:
        report.say(f"{name}: fewer than {scale.topics} topics among its documents: none is left out")
        return
    asked, about = _questions(reference, stated, on, topics, left_out, scale)
    orders = _orders(reference, recipe, asked, topics, left_out, scale.topic_seeds)
    train_ordered(folder, f"{name}: models without a topic", orders, n_processes, report)
    with report.task(f"{name}: predictions for topics", 2 + len(reference.entry.checkpoints)) as task:
        ready = subject(folder, reference)
        predicted = predictions(folder, ready, asked, "topics", lambda n: task.tick(n / len(reference.rows)))
    how = (
        f"{', '.join(left_out)} left out of {len(topics):,} documents, {recipe.epochs} epochs, "
        f"{scale.topic_seeds} seeds each; {len(asked)} questions"
    )

    def measure() -> list[Figure]:
        by_method = {method: foretold(scores, topics, left_out) for method, scores in predicted.by_method.items()}
        found = WithoutTopics(tuple(left_out), tuple(about), _changes(folder, orders, asked, len(left_out)))
        return without_topic_figures(by_method, found, how)

    made_of = key(predicted=predicted.key, scale=asdict(scale), recipe=recipe, topics=left_out, how=how)
    measured_at(scale, folder, "topics", of, made_of, measure, of.entry.recipe)


def _questions(
    reference: Member,
    stated: Sequence[Question],
    on: Sequence[str],
    topics: Sequence[str],
    left_out: Sequence[str],
    scale: Scale,
) -> tuple[list[Question], list[str]]:
    """What is asked, and the topic of each; "" for one that is not left out."""
    generator = np.random.default_rng([scale.seed, 5])
    asked: list[Question] = []
    about: list[str] = []
    for topic in (*left_out, ""):
        prompts = [of for of, its in zip(stated, on, strict=True) if (its if its in left_out else "") == topic]
        mine = [i for i, its in enumerate(topics) if (its if its in left_out else "") == topic]
        lacking = min(max(0, (OWN if topic else OTHERS) - len(prompts)), len(mine))
        ends = generator.choice(mine, size=lacking, replace=False).tolist() if lacking else []
        asked += [*prompts, *(of_end(reference, int(i)) for i in sorted(ends))]
        about += [topic] * (len(prompts) + len(ends))
    return asked, about


def _orders(
    reference: Member,
    recipe: Recipe,
    asked: Sequence[Question],
    topics: Sequence[str],
    left_out: Sequence[str],
    n_seeds: int,
) -> list[Order]:
    """For each seed a model of all documents, then one without each topic."""
    ids, end = tuple(each.ids for each in asked), begin_token(reference.loaded.tokenizer)
    orders = []
    for seed in range(n_seeds):
        again = replace(recipe, seed=recipe.seed + 1 + seed, keep=(1.0,))
        for number, topic in enumerate([None, *left_out]):
            rows = trained_rows(reference, [i for i, its in enumerate(topics) if its != topic])
            orders.append(Order(f"{reference.entry.name}.topics-{number}.seed-{seed}", Training(again, end, rows, ids)))
    return orders


def _changes(folder: Path, orders: Sequence[Order], asked: Sequence[Question], n_topics: int) -> Numbers:
    """f without each topic less f with all of them, nats a token  # [S, T, Q]"""
    n_tokens = np.array([each.n_targets for each in asked])
    found = np.stack(
        [
            retrained(folder, order.name, order.training).of_ends(order.training.asked, [each.first for each in asked])
            / n_tokens
            for order in orders
        ]
    ).reshape(-1, 1 + n_topics, len(asked))
    changes: Numbers = found[:, 1:] - found[:, :1]
    return changes
