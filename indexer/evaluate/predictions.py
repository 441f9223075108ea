"""EDGE: what every method says about every document, for the queries of an evaluation; one part, kept for all measures.

Names: a method of `[scores] method`; `, attention only` and the like: a part of the layers; `, λ 0.001`: another
damping; `/ relatif_l`: divided by a normaliser.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.baselines import hidden_cosine, hidden_states, query_hidden_states
from attribution.checkpoints import averaged
from attribution.checkpoints import tracin as tracin_checkpoints
from attribution.directions import join_directions
from attribution.normalise import NORMALISERS, Norms, normalise
from attribution.preconditioner import Preconditioner, damp, no_curvature, weighted
from attribution.query import query_directions
from attribution.scores import score_documents
from attribution.tracked import Tracked
from indexer.build.corpus_pass import pass_over_corpus
from indexer.build.fitted import Fitted
from indexer.build.member import Member
from indexer.build.methods import learning_rates
from indexer.evaluate.asked import Asked
from indexer.evaluate.eigenbasis import turned_preconditioner
from indexer.journal import key, stage
from indexer.partition import Part
from indexer.textindex import TextIndex

Numbers = NDArray[np.float32]
Tick = Callable[[int], None]
TURNED = "embedding turned"  # its block in an eigenbasis, `attribution/embedding_eigenbasis.py`
NORMALISED = ("ekfac", "ekfac_checkpoints")  # divided by every normaliser too
BUDGET = 2 << 30  # bytes of query directions that are held at once
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
        found: dict[str, Any] = dict(by_method(folder, subject, asked, part.seed, tick))
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
    folder: Path, subject: Subject, asked: Sequence[Asked], seed: int, tick: Tick
) -> Iterator[tuple[str, Numbers]]:
    member = subject.fitted.member
    shape = (len(asked), len(member.rows))
    yield "random", np.random.default_rng(seed).random(shape, dtype=np.float32)
    yield "bm25", lexical_scores(subject.index, member, asked)
    states = hidden_states(member.tracked, member.rows)
    yield "hidden_cosine", np.concatenate([_hidden(member.tracked, each, states) for each in asked])
    of, _ = pass_over_corpus(folder, subject.fitted, tick)
    norms = Norms(of.grad_norm, of.self_influence, of.solve_norm, np.ones(len(asked), dtype=np.float32))
    yield from _at_the_end(folder, subject, asked, norms, tick)
    if subject.early:
        yield from _over_training(folder, subject, asked, norms, tick)


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


def _at_the_end(
    folder: Path, subject: Subject, asked: Sequence[Asked], norms: Norms, tick: Tick
) -> Iterator[tuple[str, Numbers]]:
    """Methods that read the final weights only."""
    fitted, member = subject.fitted, subject.fitted.member
    wanted = {"gradient_dot": no_curvature(member.tracked), "ekfac": fitted.preconditioner}
    if subject.turned and member.tracked.embedding:
        wanted[f"ekfac, {TURNED}"] = turned_preconditioner(folder, fitted)
    wanted |= {f"ekfac, λ {damping:g}": damp(fitted.factors, damping) for damping in subject.dampings}
    found = scored(member, wanted, asked, tick)
    for name, layers in found.items():
        yield name, layers.sum(axis=2)
    dot = found["gradient_dot"].sum(axis=2)
    yield "gradient_cosine", normalise(dot, norms, "grad_norm")
    for name in (name for name in ("ekfac", f"ekfac, {TURNED}") if name in found):
        yield from _parts(name, found[name], member.tracked)
        yield from _normalised(name, found[name], norms)


def _over_training(
    folder: Path, subject: Subject, asked: Sequence[Asked], norms: Norms, tick: Tick
) -> Iterator[tuple[str, Numbers]]:
    """Methods that sum over the kept checkpoints; normalised, as a build stores them, by the final weights."""
    fits, member = [*subject.early, subject.fitted], subject.fitted.member
    rates = tracin_checkpoints([each.member.tracked for each in fits], learning_rates(member))
    weights, linear = _weights(member)
    shares = averaged([(each.member.tracked, each.preconditioner) for each in fits], weights or None, linear)
    tracin = np.zeros((len(asked), len(member.rows)), dtype=np.float32)
    layers: dict[str, Numbers] = {}
    for fit, rate, share in zip(fits, rates, shares, strict=True):
        wanted = {"tracin": rate.preconditioner, "ekfac_checkpoints": share.preconditioner}
        if subject.turned and member.tracked.embedding:
            turned = turned_preconditioner(folder, fit)
            wanted[f"ekfac_checkpoints, {TURNED}"] = weighted(turned, fit.member.tracked, linear)
        found = scored(fit.member, wanted, asked, tick)
        tracin += rate.weight * found.pop("tracin").sum(axis=2)
        for name, of in found.items():
            layers[name] = layers.get(name, np.zeros_like(of)) + share.weight * of
    yield "tracin", tracin
    for name, by_layer in layers.items():
        yield name, by_layer.sum(axis=2)
        yield from _parts(name, by_layer, member.tracked)
        yield from _normalised(name, by_layer, norms)


def _weights(member: Member) -> tuple[tuple[float, ...], float]:
    """Of the checkpoints, and of the linear layers in each."""
    return member.config.scores.checkpoint_weights, member.config.scores.linear_weight


def _normalised(method: str, layers: Numbers, norms: Norms) -> Iterator[tuple[str, Numbers]]:
    """The same under every normaliser.    layers: [Q, D, L]"""
    if method not in NORMALISED:
        return
    for name in NORMALISERS:
        if name not in ("none", "cosine"):  # for one query, cosine ranks as relatif_l does
            yield f"{method} / {name}", normalise(layers.sum(axis=2), norms, name)


def _parts(method: str, layers: Numbers, tracked: Tracked) -> Iterator[tuple[str, Numbers]]:
    """The same from some kinds of layers only."""
    kinds = np.array([layer.kind for layer in tracked.layers])
    for name, of in PARTS.items():
        chosen = np.isin(kinds, of)
        if chosen.any() and not chosen.all():
            yield f"{method}, {name}", layers[:, :, chosen].sum(axis=2)


def scored(
    member: Member, wanted: Mapping[str, Preconditioner], asked: Sequence[Asked], tick: Tick
) -> dict[str, Numbers]:
    """Influence of every document on every query under each preconditioner, by layer  # name -> [Q, D, L] nats

    In as few passes over the documents as memory allows: a gradient serves all preconditioners.
    """
    queries = [(name, each) for name in wanted for each in asked]
    size = 4 * sum(layer.n_out * layer.n_in for layer in member.tracked.layers)
    step = max(1, BUDGET // size)
    layers = []
    for start in range(0, len(queries), step):
        directions = join_directions(
            [
                query_directions(member.tracked, wanted[name], each.ids, each.first, measurement="mean_logp")
                for name, each in queries[start : start + step]
            ]
        )
        layers.append(score_documents(member.tracked, directions, member.rows, member.n_train, tick=tick).values)
    by_query, n = np.concatenate(layers), len(asked)
    return {name: by_query[i * n : (i + 1) * n] for i, name in enumerate(wanted)}
