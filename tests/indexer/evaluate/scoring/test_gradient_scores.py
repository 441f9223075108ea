"""Scores that are shared out among processes, and the mean over checkpoints that is taken of them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import no_curvature
from attribution.exact.checkpoints import averaged, followed, tracin
from attribution.query.directions import join_directions
from attribution.query.matrices import Outer
from attribution.query.solve import query_directions
from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.config.estimator import estimators, evaluated
from indexer.evaluate.protocol.queries import of_document
from indexer.evaluate.scoring import gradient_scores, solved
from indexer.evaluate.scoring import predictions as predicting
from indexer.evaluate.scoring.given import Evaluated
from indexer.evaluate.scoring.gradient_scores import Variants, _bytes_of_query, _preconditioners, kinds_of, scores_over
from indexer.evaluate.scoring.predictions import predictions
from indexer.evaluate.scoring.subject import lexical
from indexer.size.checkpoints import at_checkpoint, seen_rates, steps
from indexer.size.factors import fit
from indexer.size.member import open_member
from indexer.training.store import kept_checkpoints
from tests.attribution.over_checkpoints import score_checkpoints
from tests.tiny_family import write_project

LINEAR = 0.25
EVERYTHING = Variants(plain=True, turned=True, dampings=(0.01,))


@pytest.fixture(scope="module")
def subject(tmp_path_factory) -> tuple[Path, Evaluated]:
    path = write_project(tmp_path_factory.mktemp("project"))
    path.write_text(path.read_text().replace("token_losses = 2", f"token_losses = 2\nlinear_weight = {LINEAR}"))
    assert main(["train", str(path), "--model", "tiny-m"]) == 0
    config = read_config(path)
    entry = config.model[0]
    member = open_member(replace(entry, checkpoints=kept_checkpoints(Path(entry.path))), config)
    folder = path.parent / "evaluated"
    early = tuple(fit(folder, at_checkpoint(member, each)) for each in member.entry.checkpoints)
    return folder, Evaluated(fit(folder, member), early, lexical(folder, member))


def asked_of(subject: Evaluated):
    return [of_document(subject.fitted.member, i) for i in (0, 3, 7)]


def test_conjugate_gradients_are_evaluated_where_they_are_named_in_parts_that_are_kept(subject, monkeypatch):
    folder, of = subject
    asked = asked_of(of)
    assert "ekfac_cg" not in predictions(folder, of, asked, "unnamed", lambda n: None).by_method

    def found(steps: int, together: int, what: str):
        scores = replace(of.fitted.member.config.scores, method=("ekfac", "ekfac_cg"), cg_steps=steps, cg_documents=6)
        config = replace(of.fitted.member.config, scores=scores)
        fitted = replace(of.fitted, member=replace(of.fitted.member, config=config))
        monkeypatch.setattr(solved, "TOGETHER", together)
        return predictions(folder, replace(of, fitted=fitted), asked, what, lambda n: None).by_method

    one, three = found(1, 8, "one"), found(3, 2, "three")
    for block, cg in zip(one["ekfac"], one["ekfac_cg"], strict=True):  # one step is the block inverse, times a number
        assert np.corrcoef(block, cg)[0, 1] == pytest.approx(1, abs=1e-4)
    assert three["ekfac_cg"].shape == (3, len(of.fitted.member.rows))
    assert np.corrcoef(three["ekfac_cg"][0], three["ekfac"][0])[0, 1] < 0.9999
    monkeypatch.setattr(solved, "whole_of", lambda fitted: pytest.fail("solved again"))
    shutil.rmtree(folder / "parts" / "predictions-three-tiny-m")
    again = found(3, 2, "three")
    np.testing.assert_array_equal(again["ekfac_cg"], three["ekfac_cg"])


@pytest.mark.parametrize("method", ["ekfac_checkpoints", "tracin", "source"])
def test_sums_over_checkpoints_are_those_that_a_build_stores(subject, method):
    """Linear layers are weighted after they are scored; a build weights the curvature that it scores with."""
    folder, of = subject
    asked = asked_of(of)
    found = predictions(folder, of, asked, "test", lambda n: None).by_method[method]
    fits = [*of.early, of.fitted]
    if method == "tracin":
        member = of.fitted.member
        checkpoints = tracin([each.member.tracked for each in fits], seen_rates(member), member.n_train)
    elif method == "source":
        checkpoints = followed([(each.member.tracked, each.factors) for each in fits], steps(of.fitted.member), 0.1)
    else:
        checkpoints = averaged([(each.member.tracked, each.preconditioner) for each in fits], None, LINEAR)

    def query(at):
        each = [query_directions(at.asked, at.preconditioner, a.ids, a.first, measurement="mean_logp") for a in asked]
        return join_directions(each)

    member = of.fitted.member
    expected = score_checkpoints(checkpoints, query, member.rows, member.n_train).sum(axis=2)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


def test_an_estimator_that_was_added_is_predicted_too(subject, monkeypatch):
    """What was kept before is not taken for all there is; the numbers of the others are as they were."""
    folder, of = subject
    asked = asked_of(of)
    before = predictions(folder, of, asked, "added", lambda n: None)
    later = {"later": replace(estimators()["bm25"], name="later", predict=lambda of: iter([("later", np.zeros(3))]))}
    monkeypatch.setattr(predicting, "evaluated", lambda scores: evaluated(scores) | later)
    after = predictions(folder, of, asked, "added", lambda n: None)
    assert after.key != before.key
    assert set(after.by_method) - set(before.by_method) == {"later"}
    for name, scores in before.by_method.items():
        if name != "random":
            np.testing.assert_array_equal(after.by_method[name], scores)


def test_shares_and_processes_do_not_matter(subject, monkeypatch):
    folder, of = subject
    member = of.fitted.member
    asked = asked_of(of)
    [expected] = scores_over(folder, "whole", [(of.fitted, EVERYTHING)], asked, lambda n: None)
    monkeypatch.setattr(gradient_scores, "SHARE", 7)
    device = replace(member.config.device, processes=2)
    two = replace(of.fitted, member=replace(member, config=replace(member.config, device=device)))
    seen: list[int] = []
    [found] = scores_over(folder, "shared", [(two, EVERYTHING)], asked, seen.append)
    assert len(seen) > 3
    assert sum(seen) == len(member.rows)
    assert set(found) == {"ekfac", "gradient_dot", "ekfac, embedding turned", "ekfac, λ 0.01"}
    for name, scores in found.items():
        assert scores.values.shape == (len(asked), len(member.rows), len(kinds_of(member.tracked)))
        # in the eigenbasis some sums are of terms a thousand times as large: float32 rounds them to 5e-8
        np.testing.assert_allclose(scores.values, expected[name].values, rtol=1e-4, atol=1e-7)


def directions_of(tracked, wanted, asked):
    return join_directions(
        query_directions(tracked, each, one.ids, one.first, measurement="mean_logp")
        for each in wanted.values()
        for one in asked
    )


def test_directions_of_several_bases_are_counted_as_whole_matrices(subject):
    folder, of = subject
    tracked, asked = of.fitted.member.tracked, [replace(each, ids=each.ids[:5]) for each in asked_of(of)]
    ekfac, *_ = _preconditioners(folder, of.fitted, Variants()).values()
    for wanted in ({"ekfac": ekfac}, {"ekfac": ekfac, "dot": no_curvature(tracked)}):
        made = directions_of(tracked, wanted, asked)
        assert sum(of.nbytes for of in made.linear) <= made.n * _bytes_of_query(tracked, wanted, asked)


def test_every_variant_stands_in_one_eigenbasis_so_that_one_pass_serves_all(subject):
    folder, of = subject
    tracked, asked = of.fitted.member.tracked, [replace(each, ids=each.ids[:5]) for each in asked_of(of)]
    wanted = _preconditioners(folder, of.fitted, EVERYTHING)
    made = directions_of(tracked, wanted, asked)
    for block, directions in zip(of.fitted.preconditioner.linear(tracked), made.linear, strict=True):
        assert directions.basis is block.basis
        assert all(isinstance(part, Outer) for part in directions.parts)
    first = list(wanted).index("gradient_dot") * len(asked)
    dot = made.of(slice(first, first + len(asked)))
    alone = directions_of(tracked, {"gradient_dot": no_curvature(tracked)}, asked)
    torch.testing.assert_close(dot.energy, alone.energy, rtol=1e-5, atol=0)
    for turned, directions in zip(dot.linear, alone.linear, strict=True):
        assert directions.basis is None
        torch.testing.assert_close(turned.values, directions.values, rtol=1e-4, atol=1e-6)


def test_kinds_add_up(subject):
    folder, of = subject
    [found] = scores_over(folder, "kinds", [(of.fitted, Variants())], asked_of(of), lambda n: None)
    parts = [found["ekfac"].of([kind]) for kind in ("attention", "mlp", "embedding")]
    assert all(np.abs(part).max() > 0 for part in parts)
    np.testing.assert_allclose(sum(parts), found["ekfac"].total, rtol=1e-5, atol=1e-8)


def test_what_is_finished_is_not_scored_again(subject, monkeypatch):
    folder, of = subject
    asked = asked_of(of)
    [expected] = scores_over(folder, "again", [(of.fitted, Variants())], asked, lambda n: None)
    monkeypatch.setattr(gradient_scores, "scored", None)
    seen: list[int] = []
    [found] = scores_over(folder, "again", [(of.fitted, Variants())], asked, seen.append)
    assert sum(seen) == len(of.fitted.member.rows)
    np.testing.assert_array_equal(found["ekfac"].values, expected["ekfac"].values)
