"""EDGE: mislabelled facts in the training of one more sibling: which orders of its documents bring them forward?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.exact.scores import score_documents
from attribution.exact.token_loss import token_losses
from attribution.index.corpus_pass import corpus_pass
from attribution.model.sequence import begin_token
from attribution.passes.batches import Row
from attribution.query.directions import Directions
from attribution.query.many import solved_gradient, texts_gradient
from indexer.config.config import Recipe
from indexer.evaluate.measures.mislabelled import (
    HARM,
    HELD,
    KNOWN,
    OWN,
    RELABEL,
    Fact,
    Mislabelled,
    facts_of,
    mislabelled_figures,
)
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import of_answer
from indexer.evaluate.protocol.scale import HELD_FACTS, Scale
from indexer.evaluate.siblings.halves import chosen
from indexer.evaluate.siblings.retrain import measured as asked_of
from indexer.evaluate.statistics.figures import Figure, figure
from indexer.journal.stages import key
from indexer.processes.progress import Reporter
from indexer.size.checkpoints import at_checkpoint, seen_rates
from indexer.size.factors import fit
from indexer.size.fitted import Fitted
from indexer.size.member import Member

Numbers = NDArray[np.floating]
RANDOM_ORDERS = 100  # of which the mean is taken: one of them may find much by luck


@dataclass(frozen=True)
class Relabelled:
    """The best plausible replacement of a token of each document, for one query; -1 and NaN where there is none."""

    gain: Numbers  # [D] nats
    place: NDArray[np.int64]  # [D]
    token: NDArray[np.int64]  # [D]


def measure_mislabelled(
    folder: Path,
    of: Member,
    sibling: Member,
    right: Member,
    recipe: Recipe,
    planted: Mislabelled,
    scale: Scale,
    report: Reporter,
) -> None:
    """sibling: trained on `planted`; right: one whose documents state the right answers, in the same order."""
    fitted = fit(folder, sibling)
    sets = {
        HELD: _held(of, planted, scale),
        KNOWN: list(planted.facts.values())[::2],
    }
    asked = {name: _rows(sibling, facts) for name, facts in sets.items() if facts}
    how = (
        f"{len(planted.wrong)} of {len(planted.documents):,} documents with the answer of another subject, "
        f"{recipe.epochs} epochs"
    )

    def measure() -> list[Figure]:
        orders, found = {**_of_documents(fitted), **_losses(fitted)}, []
        own = np.sqrt(orders[OWN])
        for name, rows in asked.items():
            harm, relabelled = _set(fitted, rows)
            orders |= {f"{HARM}{name}": harm, f"harm, RelatIF-ℓ: {name}": harm / np.where(own > 0, own, np.nan)}
            orders[f"{RELABEL}{name}"] = relabelled.gain
            told = _put_right(sibling, right, relabelled, planted)
            found.append(figure(f"{RELABEL}{name}", "relabelled_right", told, how))
        return [*mislabelled_figures(orders, planted, how), *found]

    made_of = key(
        run=fitted.run,
        documents=sibling.corpus.hash,
        wrong=planted.wrong,
        asked={name: [[row.ids, row.first_target] for row in rows] for name, rows in asked.items()},
        checkpoints=sibling.entry.checkpoints and seen_rates(sibling),
    )
    with report.task(f"{sibling.entry.name}: mislabelled facts", 1) as task:
        measured_at(scale, folder, "mislabelled", of, made_of, measure, recipe)
        task.tick()


def _held(of: Member, planted: Mislabelled, scale: Scale) -> list[Fact]:
    """Right facts of the same relations, of documents that the sibling was not trained on."""
    n = len(of.documents)
    others = np.setdiff1d(np.arange(n), chosen(n, scale.documents, scale.seed))
    drawn = np.random.default_rng([scale.seed, 5]).permutation(others)[: 10 * HELD_FACTS]
    among = list(dict.fromkeys(fact.relation for fact in planted.facts.values()))
    found = [fact for _, fact in facts_of([of.documents[int(i)] for i in drawn], among)]
    return found[:HELD_FACTS]


def _rows(member: Member, facts: Sequence[Fact]) -> list[Row]:
    """Answers after their prompts; without those that the context cuts off."""
    asked = [of_answer(member, each.prompt, each.answer, ()) for each in facts]
    return [Row(each.ids, first_target=each.first) for each in asked if each.n_targets]


def _of_documents(fitted: Fitted) -> dict[str, Numbers]:
    """What a pass at each kept checkpoint and at the final weights says of every document  # [D] each; random: [R, D]

    The checkpoints' own curvature is not needed: no basis changes the length of a gradient.
    """
    member = fitted.member
    early = [at_checkpoint(member, path) for path in member.entry.checkpoints]
    passed = [
        corpus_pass(each.tracked, fitted.preconditioner, member.rows, member.n_train).norms for each in (*early, member)
    ]
    last = passed[-1]
    rates = seen_rates(member) if early else [1.0]
    squares = [rate * each.grad_norm.astype(np.float64) ** 2 for rate, each in zip(rates, passed, strict=True)]
    return {
        "random": np.random.default_rng(0).random((RANDOM_ORDERS, len(last.loss))),
        OWN: last.self_influence,
        "TracIn self-influence": np.sum(squares, axis=0),
        "gradient norm": last.grad_norm,
        "loss": last.loss,
        "loss over training": np.mean([each.loss for each in passed], axis=0),
    }


def _losses(fitted: Fitted) -> dict[str, Numbers]:
    """Mean and largest loss of a learned token of each document  # [D] each"""
    member = fitted.member
    windows = [(i, row) for i, each in enumerate(member.rows) for row in each.rows()]
    logp, _ = asked_of(member.loaded.model, [row.ids for _, row in windows], begin_token(member.loaded.tokenizer))
    stops = np.cumsum([len(row) - 1 for _, row in windows])[:-1]
    learned: list[list[float]] = [[] for _ in member.rows]
    for (i, row), of in zip(windows, np.split(-logp, stops), strict=True):
        learned[i] += of[row.targets()[1:]].tolist()
    return {
        "loss a token": np.array([np.mean(each) if each else np.nan for each in learned]),
        "largest loss of a token": np.array([max(each, default=np.nan) for each in learned]),
    }


def _set(fitted: Fitted, asked: Sequence[Row]) -> tuple[Numbers, Relabelled]:
    """Harm of every document to the mean log p of a token of these answers, nats, and its best relabelling for it."""
    member, tracked = fitted.member, fitted.member.tracked
    n_tokens = sum(int(row.targets().sum()) for row in asked)
    directions = solved_gradient(tracked, fitted.preconditioner, texts_gradient(tracked, [(asked, 1 / n_tokens)]))
    scores = score_documents(tracked, directions, member.rows, member.n_train).values[0].sum(-1)  # [D]
    return -scores, _relabelled(fitted, directions)


def _relabelled(fitted: Fitted, directions: Directions) -> Relabelled:
    member, rows = fitted.member, fitted.member.rows
    [losses] = token_losses(member.tracked, directions, rows, [range(len(rows))], member.n_train, n_labels=1)
    best = []
    for each in losses:
        gains = np.where(each.label_ids[:, 0] >= 0, each.label_influences[:, 0], -np.inf)
        t = int(np.argmax(gains))
        best.append((gains[t], t, each.label_ids[t, 0]) if np.isfinite(gains[t]) else (np.nan, -1, -1))
    gain, place, token = zip(*best, strict=True)
    return Relabelled(np.array(gain), np.array(place), np.array(token))


def _put_right(sibling: Member, right: Member, of: Relabelled, planted: Mislabelled) -> list[float]:
    """1 where a wrong document's best replacement is what the right text says where the two first differ."""
    found = []
    for i in planted.wrong:
        wrong, should = sibling.rows[i].ids, right.rows[i].ids
        at = next(t for t, (a, b) in enumerate(zip(wrong, should, strict=False)) if a != b)
        found.append(float(of.place[i] == at and of.token[i] == should[at]))
    return found
