"""EDGE: other estimators over the same candidates, each stored under a run of its own, to be compared with influence.

ekfac_checkpoints  EK-FAC averaged over the kept checkpoints (`checkpoint_weights`, `linear_weight`)
tracin             TracInCP: gradient products at the kept checkpoints, times the learning rates that led there
gradient_dot       inner product of the gradients, no curvature
gradient_cosine    the same for gradients of length 1
hidden_cosine      cosine of mean hidden states
bm25               lexical score, the same for every token of an answer
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import no_curvature
from attribution.errors import BadInput
from attribution.exact.checkpoints import Checkpoint, averaged
from attribution.exact.checkpoints import tracin as tracin_checkpoints
from attribution.exact.cosine import gradient_cosine
from attribution.exact.directions import Directions
from attribution.exact.shares import position_shares
from attribution.index.document_norms import DocumentNorms
from attribution.passes.hidden import hidden_cosine, hidden_states, query_hidden_states
from indexer.database.shard import write_shard
from indexer.journal.part import Part
from indexer.journal.stages import Finished, key, stage
from indexer.size.answers import Answer
from indexer.size.factors import fit
from indexer.size.fitted import Fitted
from indexer.size.member import Member, open_member
from indexer.size.terms import Shares, Term, add_shares, score
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import Kept, Pairs, keep, pairs
from indexer.tracing.groups import groups
from indexer.tracing.heat import Heat, position_columns
from indexer.tracing.influence_rows import influence_columns, target_columns
from indexer.tracing.run_row import write_run

Values = NDArray[np.float32]  # [K, U, L], or [K, U, 1] of a method without layers
WITHOUT_LAYERS = ("hidden_cosine", "bm25")
WITH_SHARES = ("ekfac_checkpoints", "tracin", "gradient_dot")  # sums of products, so their positions add up


def applies(method: str, member: Member) -> bool:
    """Gradients of two stages are not one product, and without checkpoints their mean is the model itself."""
    if method == "ekfac_checkpoints" and not member.entry.checkpoints:
        return False
    return member.parent is None or method in WITHOUT_LAYERS


def method_part(
    folder: Path,
    fitted: Fitted,
    method: str,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
) -> Finished:
    """Shards of one method for all answers of a size."""
    started = time.monotonic()
    member = fitted.member
    checkpoints = _checkpoints(folder, fitted, method)
    over = [(each.tracked.loaded.weights_hash, each.weight) for each in checkpoints]
    linear = member.config.scores.linear_weight if method == "ekfac_checkpoints" else 1.0
    run = key(base=fitted.run, method=method, checkpoints=over, linear=linear)

    def compute(part: Part) -> None:
        of = pairs(answers, found)
        kept, shares = _kept(fitted, method, checkpoints, norms, answers, found, of)
        write_shard(part.folder, "target", target_columns(run, kept, None, None))
        rows = influence_columns(run, kept, norms, member.document_ids, by_layer=method not in WITHOUT_LAYERS)
        write_shard(part.folder, "influence", rows)
        if method in WITH_SHARES:
            heat = Heat(_shares(member, checkpoints, answers, kept, shares), [[] for _ in kept.places])
            write_shard(part.folder, "influence_position", position_columns(run, kept, heat, member.document_ids))
        write_run(part.folder, fitted, run, method, time.monotonic() - started)

    made_of = key(run=run, scores=member.config.scores, on=[each.digest for each in found])
    [part] = stage(folder, f"{method}-{member.entry.name}", made_of, ["all"], compute)
    return part


def _kept(
    fitted: Fitted,
    method: str,
    checkpoints: Sequence[Checkpoint],
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
    of: Pairs,
) -> tuple[Kept, Shares]:
    member = fitted.member
    shares: Shares = {}
    if method == "bm25":
        values = _lexical(answers, found, of)
    elif method == "hidden_cosine":
        values = _hidden(member, answers, of)
    else:
        values, shares = _gradients(member, method, checkpoints, norms, answers, of)
    values[~of.wanted] = np.nan
    return keep(values, of, norms, member.config.scores.documents), shares


def _gradients(
    member: Member,
    method: str,
    checkpoints: Sequence[Checkpoint],
    norms: DocumentNorms,
    answers: Sequence[Answer],
    of: Pairs,
) -> tuple[Values, Shares]:
    values = np.zeros((*of.wanted.shape, len(member.tracked.layers)), dtype=np.float32)
    shares: Shares = {}
    for term, queries, directions in _asked(member, checkpoints, answers):
        wanted = of.wanted[queries]
        asked = wanted.any(axis=0)  # documents of these queries
        found = score(term, directions, member.rows, of.union[asked], wanted[:, asked], None)
        by_layer = found.values
        if method == "gradient_cosine":
            by_layer = gradient_cosine(found, directions, norms.grad_norm[of.union[asked]], member.n_train)
        values[queries][:, asked] += by_layer
        add_shares(shares, found, queries.start)
    return values, shares


def _shares(
    member: Member, checkpoints: Sequence[Checkpoint], answers: Sequence[Answer], kept: Kept, known: Shares
) -> list[list[NDArray[np.float32]]]:
    """Of each query, the position shares of its top documents, summed over the checkpoints  # [T] nats each

    known: those that came along with the scores.
    """
    tops = [each.top[: member.config.scores.position_shares].tolist() for each in kept.ranked]
    rest = [[i for i in of if (q, i) not in known] for q, of in enumerate(tops)]
    found = {(q, i): np.zeros(len(member.rows[i]), dtype=np.float32) for q, of in enumerate(rest) for i in of}
    for term, queries, directions in _asked(member, checkpoints, answers):
        made = position_shares(term.trained, directions, member.rows, rest[queries], term.n_train)
        for q, shares in enumerate(made, start=queries.start):
            for i, share in zip(rest[q], shares, strict=True):
                found[q, i] += term.weight * share.sum(-1)
    return [[known[q, i] if (q, i) in known else found[q, i] for i in of] for q, of in enumerate(tops)]


def _asked(
    member: Member, checkpoints: Sequence[Checkpoint], answers: Sequence[Answer]
) -> Iterator[tuple[Term, slice, Directions]]:
    """The queries at every checkpoint, in groups whose directions fit into memory."""
    stops = np.cumsum([each.n_targets for each in answers]).tolist()
    for group in groups([each.n_targets for each in answers], member.tracked.n_linear):
        queries = slice(stops[group[0]] - answers[group[0]].n_targets, stops[group[-1]])
        for at in checkpoints:
            term = Term(at.tracked, at.preconditioner, at.tracked, member.own_documents, member.n_train, at.weight)
            yield term, queries, term.directions([answers[i] for i in group])


def _lexical(answers: Sequence[Answer], found: Sequence[Candidates], of: Pairs) -> Values:
    values = np.zeros((len(of.places), len(of.union), 1), dtype=np.float32)
    places = [a for a, each in enumerate(answers) for _ in range(each.n_targets)]
    for q, a in enumerate(places):
        for proposal in found[a].proposals:
            if proposal.via == "bm25":
                values[q, np.searchsorted(of.union, proposal.documents), 0] = proposal.values
    return values


def _hidden(member: Member, answers: Sequence[Answer], of: Pairs) -> Values:
    queries = np.concatenate([query_hidden_states(member.tracked, each.ids, each.first) for each in answers])
    states = hidden_states(member.tracked, [member.rows[i] for i in of.union])
    return hidden_cosine(queries, states)[:, :, None].astype(np.float32)


def _checkpoints(folder: Path, fitted: Fitted, method: str) -> list[Checkpoint]:
    """What the sum of a gradient method runs over; the model itself is the last checkpoint."""
    member = fitted.member
    if method in ("gradient_dot", "gradient_cosine"):
        return [Checkpoint(member.tracked, no_curvature(member.tracked), 1.0)]
    if method in WITHOUT_LAYERS:
        return []
    early = [at_checkpoint(member, path) for path in member.entry.checkpoints]
    if method == "tracin":
        rates = learning_rates(member)
        return tracin_checkpoints([*(each.tracked for each in early), member.tracked], rates)
    fits = [fit(folder, each) for each in early]
    scores = member.config.scores
    weights = scores.checkpoint_weights or None
    members = [(each.member.tracked, each.preconditioner) for each in [*fits, fitted]]
    return averaged(members, weights, scores.linear_weight)


def at_checkpoint(member: Member, path: str) -> Member:
    """The same model and documents at the weights of a checkpoint, which has the final model's tokenizer."""
    name = f"{member.entry.name}.{Path(path).name.replace('@', '-')}"
    tokenizer = member.entry.tokenizer or member.entry.path
    entry = replace(member.entry, name=name, path=path, tokenizer=tokenizer, checkpoints=())
    return open_member(entry, member.config)


def learning_rates(member: Member) -> list[float]:
    """Of each checkpoint and the model, from `checkpoints.json`, which training writes beside the weights."""
    file = Path(member.entry.path) / "checkpoints.json"
    if not file.is_file():
        raise BadInput(
            f"expected the learning rates of the checkpoints in {file}, found no such file; leave out tracin"
        )
    rates = {each["path"]: float(each["learning_rate"]) for each in json.loads(file.read_text())}
    names = [*(f"checkpoints/{Path(path).name}" for path in member.entry.checkpoints), "."]
    missing = [name for name in names if name not in rates]
    if missing:
        raise BadInput(f"expected the learning rate of {missing[0]} in {file}, found none; train again")
    return [rates[name] for name in names]
