"""EDGE: what every method says about every document, for the queries of an evaluation; one part, kept for all measures.

Names: a method of `[scores] method`; `, attention only` and the like: a part of the layers; `, λ 0.001`: another
damping; `/ relatif_l`: divided by a normaliser.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from attribution.exact.checkpoints import averaged
from attribution.exact.normalise import NORMALISERS, Norms, normalise
from attribution.model.tracked import Tracked
from attribution.passes.hidden import hidden_cosine, hidden_states, query_hidden_states
from indexer.corpus.text_index import TextIndex
from indexer.estimators.methods import learning_rates
from indexer.evaluate.protocol.queries import Asked
from indexer.evaluate.scoring.gradient_scores import TURNED, Numbers, Scored, Tick, Variants, scores_over
from indexer.journal.part import Part
from indexer.journal.stages import key, stage
from indexer.size.corpus_pass import pass_over_corpus
from indexer.size.fitted import Fitted
from indexer.size.member import Member

NORMALISED = ("ekfac", "ekfac_checkpoints")  # divided by every normaliser too
PARTS: dict[str, tuple[str, ...]] = {
    "attention only": ("attention",),
    "MLP only": ("mlp",),
    "embedding only": ("embedding",),
}
PARTS |= {"without embedding": ("attention", "mlp")}


@dataclass(frozen=True)
class Subject:
    """A size with its curvature, that of its checkpoints, and its documents as a lexical index."""

    fitted: Fitted
    early: tuple[Fitted, ...]  # one for each of its checkpoints, the first epochs first
    index: TextIndex
    dampings: tuple[float, ...] = ()  # to compare the configured one with
    turned: bool = False  # whether to compare the embedding's block with one in an eigenbasis


@dataclass(frozen=True)
class Predicted:
    """Scores of all documents, higher is more helpful, and the hash of all that they depend on."""

    by_method: dict[str, Numbers]  # [Q, D] each
    key: str


def predictions(folder: Path, subject: Subject, asked: Sequence[Asked], what: str, tick: Tick) -> Predicted:
    """Computed if need be; `tick(n)` after n documents of a pass."""
    member = subject.fitted.member

    def compute(part: Part) -> None:
        found: dict[str, Any] = dict(by_method(folder, subject, asked, what, part.seed, tick))
        np.savez(part.folder / "scores.npz", **found)

    made_of = key(
        runs=[each.run for each in (subject.fitted, *subject.early)],
        asked=[[each.ids, each.first, each.text] for each in asked],
        weights=_weights(member) if subject.early else (),
        dampings=subject.dampings,
        turned=subject.turned,
        corpus=member.corpus.hash,
        names=[list(PARTS), list(NORMALISERS), NORMALISED, TURNED],
    )
    [part] = stage(folder, f"predictions-{what}-{member.entry.name}", made_of, ["all"], compute)
    with np.load(part.folder / "scores.npz") as stored:
        return Predicted({name: stored[name] for name in stored.files}, made_of)


def by_method(
    folder: Path, subject: Subject, asked: Sequence[Asked], what: str, seed: int, tick: Tick
) -> Iterator[tuple[str, Numbers]]:
    member = subject.fitted.member
    shape = (len(asked), len(member.rows))
    yield "random", np.random.default_rng(seed).random(shape, dtype=np.float32)
    yield "bm25", lexical_scores(subject.index, member, asked)
    states = hidden_states(member.tracked, member.rows)
    yield "hidden_cosine", np.concatenate([_hidden(member.tracked, each, states) for each in asked])
    of, _ = pass_over_corpus(folder, subject.fitted, tick)
    norms = Norms(of.grad_norm, of.self_influence, of.solve_norm, np.ones(len(asked), dtype=np.float32))
    each = Variants(plain=True, turned=subject.turned)
    last = replace(each, dampings=subject.dampings)
    models = [*((early, each) for early in subject.early), (subject.fitted, last)]
    found = scores_over(folder, what, models, asked, tick)
    yield from _at_the_end(found[-1], norms)
    if subject.early:
        yield from _over_training(subject, found, norms)


def lexical_scores(index: TextIndex, member: Member, asked: Sequence[Asked]) -> Numbers:
    """BM25 of every document for every query, 0 where they share no word  # [Q, D]"""
    documents = member.documents
    place = {document.document_id: i for i, document in enumerate(documents)}
    out = np.zeros((len(asked), len(documents)), dtype=np.float32)
    for q, each in enumerate(asked):
        for hit in index.search(each.text, len(documents)):
            out[q, place[hit.document_id]] = hit.score
    return out


def _hidden(tracked: Tracked, asked: Asked, states: Numbers) -> Numbers:
    """Mean over the explained tokens  # [1, D]"""
    by_token = hidden_cosine(query_hidden_states(tracked, asked.ids, asked.first), states)
    mean: Numbers = by_token.mean(axis=0, keepdims=True)
    return mean


def _at_the_end(found: dict[str, Scored], norms: Norms) -> Iterator[tuple[str, Numbers]]:
    """Methods that read the final weights only."""
    for name, of in found.items():
        yield name, of.total
    yield "gradient_cosine", normalise(found["gradient_dot"].total, norms, "grad_norm")
    for name in (name for name in ("ekfac", f"ekfac, {TURNED}") if name in found):
        yield from _parts(name, found[name])
        yield from _normalised(name, found[name], norms)


def _over_training(subject: Subject, found: Sequence[dict[str, Scored]], norms: Norms) -> Iterator[tuple[str, Numbers]]:
    """Methods that sum over the kept checkpoints; normalised, as a build stores them, by the final weights.

    found: at each checkpoint and at the final weights
    """
    rates = learning_rates(subject.fitted.member)
    dots = [rate * each["gradient_dot"].total for rate, each in zip(rates, found, strict=True)]
    yield "tracin", np.sum(dots, axis=0, dtype=np.float32)
    for name in ("ekfac", f"ekfac, {TURNED}"):
        if name in found[0]:
            method = name.replace("ekfac", "ekfac_checkpoints")
            mean = over_checkpoints(subject, [each[name] for each in found])
            yield method, mean.total
            yield from _parts(method, mean)
            yield from _normalised(method, mean, norms)


def over_checkpoints(subject: Subject, found: Sequence[Scored]) -> Scored:
    """The mean that the configuration wants of the scores at each checkpoint and at the final weights.

    A block's score is linear in the inverse of its curvature, so linear layers are weighted after they are scored.
    """
    weights, linear = _weights(subject.fitted.member)
    fits = [*subject.early, subject.fitted]
    shares = averaged([(each.member.tracked, each.preconditioner) for each in fits], weights or None)
    of_kind = np.array([1.0 if kind == "embedding" else linear for kind in found[0].kinds])
    values = sum(share.weight * each.values for share, each in zip(shares, found, strict=True)) * of_kind
    return Scored(np.asarray(values, dtype=np.float32), found[0].kinds)


def _weights(member: Member) -> tuple[tuple[float, ...], float]:
    """Of the checkpoints, and of the linear layers in each."""
    return member.config.scores.checkpoint_weights, member.config.scores.linear_weight


def _normalised(method: str, of: Scored, norms: Norms) -> Iterator[tuple[str, Numbers]]:
    """The same under every normaliser."""
    if method not in NORMALISED:
        return
    for name in NORMALISERS:
        if name not in ("none", "cosine"):  # for one query, cosine ranks as relatif_l does
            yield f"{method} / {name}", normalise(of.total, norms, name)


def _parts(method: str, of: Scored) -> Iterator[tuple[str, Numbers]]:
    """The same from some kinds of layers only."""
    for name, kinds in PARTS.items():
        if 0 < len(set(kinds) & set(of.kinds)) < len(of.kinds):
            yield f"{method}, {name}", of.of(kinds)
