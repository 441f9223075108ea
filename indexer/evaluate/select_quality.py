"""EDGE: is what is chosen for a target set worth training on? The recipe on the best documents of several methods."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import no_curvature
from attribution.exact.scores import score_documents
from attribution.model.sequence import begin_token
from attribution.query.many import solved_gradient, texts_gradient
from indexer.config.config import Recipe
from indexer.estimators.bm25 import lexical_scores
from indexer.evaluate.measures.choosing import Chosen, choosing_figures, chosen, halves
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.protocol.scale import Scale, recipe_of
from indexer.evaluate.scoring.subject import lexical
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.evaluate.siblings.retrainings import Order, train_ordered, trained_rows
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.stages import key
from indexer.processes.progress import Reporter
from indexer.search.text_index import TextIndex
from indexer.sets.texts import FOR, ReadText, read_as, read_texts, weighted
from indexer.size.corpus_pass import pass_over_corpus
from indexer.size.factors import fit
from indexer.size.fitted import Fitted
from indexer.size.member import Member

Numbers = NDArray[np.float32]


def measure_choosing(
    folder: Path, of: Member, sibling: Member, recipe: Recipe, scale: Scale, n_processes: int, report: Reporter
) -> None:
    """Loss on the half of the first target set that no method was shown; nothing without a set.

    sibling: of the size, whose documents there are to choose from, and whose gradients choose.
    """
    if not of.config.targets:
        report.say(f"{of.entry.name}: no [[targets]]: choosing documents is not measured")
        return
    target, name = of.config.targets[0], sibling.entry.name
    texts = [read_as(sibling, text) for text in read_texts(target) if text.side == FOR]
    if len(texts) < 2:
        report.say(f"{of.entry.name}: one text in {target.name}: no half to choose by")
        return
    wanted: list[Chosen] = []
    with report.task(f"{name}: documents chosen for {target.name}", scale.choosing_seeds) as task:
        fitted = fit(folder, sibling)
        norms, _ = pass_over_corpus(folder, fitted, lambda n: None)
        words = lexical(folder, sibling)
        for seed in range(scale.choosing_seeds):
            shown, _ = halves(len(texts), seed)
            by_method = _scores(fitted, norms.grad_norm, words, [texts[i] for i in shown])
            wanted += chosen(by_method, len(sibling.documents), seed)
            task.tick()
    orders = [_order(sibling, recipe, scale, texts, each) for each in wanted]
    train_ordered(folder, f"{name}: models on chosen documents", orders, n_processes, report)
    how = (
        f"{len(texts) - len(texts) // 2} held-out texts of {target.name}, {scale.choosing_seeds} seeds of halves, "
        f"random documents and training; {len(sibling.documents):,} documents to choose from, "
        f"{recipe_of(recipe, scale).epochs} epochs"
    )

    def measure() -> list[Figure]:
        found = []
        for each, order in zip(wanted, orders, strict=True):
            outcome = retrained(folder, order.name, order.training)
            said = outcome.of_ends([of.ids for of in texts], [of.first for of in texts])
            losses = -said / np.array([of.n_targets for of in texts])
            found.append((each, losses[halves(len(texts), each.seed)[1]]))
        return choosing_figures(found, how)

    named = [[each.method, each.share, each.seed, order.name] for each, order in zip(wanted, orders, strict=True)]
    measured_at(scale, folder, "choosing", of, key(models=named, how=how), measure, recipe)


def _order(sibling: Member, recipe: Recipe, scale: Scale, texts: Sequence[ReadText], of: Chosen) -> Order:
    training = Training(
        recipe_of(recipe, scale, seed=recipe.seed + of.seed),
        begin_token(sibling.loaded.tokenizer),
        trained_rows(sibling, of.documents.tolist()),
        tuple(each.ids for each in texts),
    )
    return Order(f"{sibling.entry.name}.chosen-{training.key}", training)


def _scores(fitted: Fitted, length: Numbers, words: TextIndex, shown: Sequence[ReadText]) -> dict[str, Numbers]:
    """What each method says of every document for the texts that it is shown  # [D] each

    length: of the gradient of every document  # [D]
    """
    sibling = fitted.member
    tracked, rows = sibling.tracked, sibling.rows
    gradient = texts_gradient(tracked, weighted(shown))
    found = {}
    for name, solver in (("ekfac", fitted.preconditioner), ("gradient_cosine", no_curvature(tracked))):
        directions = solved_gradient(tracked, solver, gradient)
        found[name] = score_documents(tracked, directions, rows, sibling.n_train).values[0].sum(-1)
    cosine = found["gradient_cosine"]
    found["gradient_cosine"] = np.divide(cosine, length, out=np.full_like(cosine, np.nan), where=length > 0)
    asked = [Question(of.ids, of.first, f"{of.text.prompt.text}{of.text.completion}") for of in shown]
    return found | {"bm25": lexical_scores(words, sibling, asked).sum(axis=0)}
