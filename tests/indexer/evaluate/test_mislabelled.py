"""Orders of documents that may bring mislabelled facts forward, against autograd and against one question at a time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.evaluate import mislabelled
from indexer.evaluate.measures.mislabelled import HARM, HELD, KNOWN, OWN, RELABEL
from indexer.evaluate.mislabelled import (
    Relabelled,
    _held,
    _losses,
    _of_documents,
    _put_right,
    _rows,
    _set,
    measure_mislabelled,
)
from indexer.evaluate.protocol.queries import of_answer
from indexer.evaluate.protocol.scale import QUICK
from indexer.evaluate.scoring.gradient_scores import scored
from indexer.evaluate.siblings.sibling import sibling
from indexer.evaluate.siblings.siblings import on_random_part, with_mislabelled
from indexer.evaluate.statistics.figures import restored
from indexer.evaluate.statistics.metrics import metric
from indexer.journal.lock import lock
from indexer.journal.stages import finished
from indexer.processes.progress import Report
from indexer.size.checkpoints import at_checkpoint, seen_rates
from indexer.size.factors import fit
from indexer.size.member import open_member
from tests.attribution import tiny
from tests.tiny_family import TEXTS, write_project

SCALE = replace(QUICK, documents=24, epochs=6)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = write_project(tmp_path_factory.mktemp("project"))
    assert main(["train", str(path), "--model", "tiny-m"]) == 0
    config = read_config(path)
    of, folder = open_member(config.model[0], config), path.parent / "evaluated"
    planned, planted = with_mislabelled(of, of.entry.recipe, SCALE)
    right = on_random_part(of, of.entry.recipe, SCALE)
    trained = [
        sibling(Path(folder), each.name, of, replace(each.recipe, keep=(0.5, 1.0)), each.documents)
        for each in (planned, right)
    ]
    return of, planted, fit(folder, trained[0]), trained[1]


def test_the_sibling_reads_the_documents_in_the_order_in_which_they_are_planted(made):
    of, planted, fitted, right = made
    assert [each.text for each in fitted.member.documents] == [each.text for each in planted.documents]
    changed = [a.text != b.text for a, b in zip(planted.documents, right.documents, strict=True)]
    assert tuple(np.flatnonzero(changed)) == planted.wrong
    assert len(planted.wrong) == 2


def test_tracin_self_influence_is_the_sum_of_squared_gradients_over_the_checkpoints(made):
    member = made[2].member
    found = _of_documents(made[2])
    weights = [*(at_checkpoint(member, path) for path in member.entry.checkpoints), member]
    assert len(weights) == 2
    for i in (0, 5, 23):
        squares = losses = 0.0
        for rate, each in zip(seen_rates(member), weights, strict=True):
            g = tiny.gradient(each.tracked, lambda moving, of=each, i=i: tiny.loss(of.tracked, moving, of.rows[i]))
            squares += rate * float(tiny.inner(g, g).sum())
            losses += tiny.loss_value(each.tracked, each.rows[i]) / 2
        assert found["TracIn self-influence"][i] == pytest.approx(squares, rel=1e-4)
        assert found["loss over training"][i] == pytest.approx(losses, rel=1e-4)


def test_losses_of_tokens_are_those_of_the_learned_ones(made):
    member = made[2].member
    found = _losses(made[2])
    for i in (0, 11, 23):
        with torch.no_grad():
            each = -tiny.token_logp(member.tracked, tiny.parameters(member.tracked), member.rows[i])
        assert found["loss a token"][i] == pytest.approx(float(each.mean()), rel=1e-4)
        assert found["largest loss of a token"][i] == pytest.approx(float(each.max()), rel=1e-4)


def test_harm_is_that_of_every_answer_by_itself(made):
    """A question's f is its mean log p, the set's that of a token of all of them."""
    _, planted, fitted, _ = made
    facts = list(planted.facts.values())[:6]
    member = fitted.member
    asked = [of_answer(member, each.prompt, each.answer, ()) for each in facts]
    alone = scored(member, {"ekfac": fitted.preconditioner}, asked)["ekfac"].total  # [Q, D]
    n = np.array([each.n_targets for each in asked])
    assert len(set(n)) > 1
    harm, relabelled = _set(fitted, _rows(member, facts))
    np.testing.assert_allclose(harm, -(n @ alone) / n.sum(), rtol=1e-3, atol=1e-3 * np.abs(harm).max())
    known = relabelled.place >= 0
    assert known.any()
    assert np.isfinite(relabelled.gain[known]).all()
    assert (relabelled.place[known] >= 1).all()  # the first token of a text is read only


def test_put_right_is_the_right_token_in_the_right_place(made):
    _, planted, fitted, right = made
    n = len(planted.documents)
    place, token = np.full(n, -1), np.full(n, -1)
    first, second = planted.wrong
    for i in (first, second):
        wrong, should = fitted.member.rows[i].ids, right.rows[i].ids
        place[i] = next(t for t in range(len(wrong)) if wrong[t] != should[t])
        token[i] = should[place[i]]
    assert _put_right(fitted.member, right, Relabelled(np.zeros(n), place, token), planted) == [1.0, 1.0]
    token[second] += 1
    assert _put_right(fitted.member, right, Relabelled(np.zeros(n), place, token), planted) == [1.0, 0.0]
    place[first] += 1
    assert _put_right(fitted.member, right, Relabelled(np.zeros(n), place, token), planted) == [0.0, 0.0]


def test_held_facts_are_of_documents_that_it_was_not_trained_on(made, monkeypatch):
    of, planted, _, right = made
    trained = {each.text for each in right.documents}
    held = [fact.said_of(fact.answer) for fact in _held(of, planted, SCALE)]
    assert sorted(held) == sorted(set(TEXTS) - trained)
    monkeypatch.setattr(mislabelled, "HELD_FACTS", 2)
    assert len(_held(of, planted, SCALE)) == 2


def test_every_order_is_measured_once_and_kept(made, monkeypatch):
    of, planted, fitted, right = made
    folder = Path(fitted.member.config.output.folder)

    def figures():
        with lock(folder), Report() as report:
            measure_mislabelled(folder, of, fitted.member, right, fitted.member.entry.recipe, planted, SCALE, report)
        [part] = [each for each in finished(folder) if each.stage == "evaluation-mislabelled-tiny-m"]
        return [restored(row) for row in pq.read_table(part.folder / "evaluation.parquet").to_pylist()]

    found = figures()
    orders = {each.method for each in found}
    assert {"random", OWN, "TracIn self-influence", "loss", "loss over training", "loss a token"} <= orders
    assert {f"{kind}{of}" for kind in (HARM, RELABEL, "harm, RelatIF-ℓ: ") for of in (HELD, KNOWN)} <= orders
    for order in orders:
        names = {each.metric for each in found if each.method == order}
        assert {"mislabelled@1", "mislabelled@5", "mislabelled@10", "mislabelled_auc"} <= names
        assert ("relabelled_right" in names) == order.startswith(RELABEL)
    assert {each.metric for each in found if metric(each.metric) is None} == set()
    assert all(-1e-9 <= each.low <= each.value + 1e-9 <= each.high + 2e-9 <= 1 + 1e-8 and each.n == 2 for each in found)
    monkeypatch.setattr(mislabelled, "_of_documents", None)  # nothing is computed again
    assert figures() == found
