"""Target sets solved with all blocks together: the gradient of all texts, and rows of a run of their own."""

from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from attribution.curvature.blocks import no_curvature
from attribution.exact.scores import score_documents
from attribution.gauss_newton.vectors import as_vectors
from attribution.query.many import texts_gradient
from attribution.query.solve import query_directions
from attribution.schedule import Schedule
from indexer.ask.opened import open_size
from indexer.config.config import read_config
from indexer.sets.solved import solved_set_stage, unsolved
from indexer.sets.texts import read_sets
from indexer.solved.whole import HELD, Whole, whole_of


@pytest.fixture(scope="module")
def opened(sets_built):
    return open_size(read_config(sets_built), "tiny-m")


def of_texts(opened):
    [of] = [each for each in read_sets(opened.member) if each.of.name == "capitals"]
    return of


def test_what_is_solved_is_the_gradient_of_every_text_alone_added_up(opened):
    of, tracked = of_texts(opened), opened.member.tracked
    whole = whole_of(opened.traced.fitted)
    found = as_vectors(tracked, unsolved(whole, texts_gradient(tracked, of.weighted)))
    n_right, n_wrong = (sum(each.n_targets for each in of.side(side)) for side in ("", "against"))
    expected = [torch.zeros_like(block[0]) for block in found.blocks]
    for text in of.texts:
        tokens = query_directions(tracked, no_curvature(tracked), text.ids, text.first, negligible=0)
        weight = -1 / n_wrong if text.text.side else 1 / n_right
        for total, block in zip(expected, as_vectors(tracked, tokens).blocks, strict=True):
            total.add_(block.sum(0), alpha=weight)
    scale = max(float(block.abs().max()) for block in expected)
    for block, total in zip(found.blocks, expected, strict=True):
        torch.testing.assert_close(block[0], total, rtol=1e-4, atol=1e-6 * scale)


def test_rows_are_scores_of_the_solved_query_on_the_documents_that_the_index_chose(opened, sets_built, tmp_path):
    of, member, traced, said = of_texts(opened), opened.member, opened.traced, []
    [part] = solved_set_stage(tmp_path, traced, [of], "of-cg", grouped=opened.groups, say=said.append)
    whole = whole_of(traced.fitted)
    directions, residual = whole.solve(unsolved(whole, texts_gradient(member.tracked, of.weighted)))
    scored = score_documents(member.tracked, directions, member.rows, whole.term.n_train).values[0].sum(-1)
    table = pq.read_table(part.folder / "set_influence.parquet").to_pylist()
    place = member.places(row["document_id"] for row in table)
    assert {row["run_id"] for row in table} == {"of-cg"} and len(table) == len(member.documents)
    found = np.array([row["score"] for row in table])
    expected = np.array([float(scored[place[row["document_id"]]]) for row in table])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    plain = {row["document_id"]: row["score"] for row in pq.read_table(_plain(sets_built)).to_pylist()}
    others = np.array([plain.get(row["document_id"], np.nan) for row in table])
    assert np.nanmax(np.abs(found - others)) > 1e-3 * np.abs(found).max()  # it is another solution
    assert float(f"{residual.item():.2g}") == pytest.approx(float(said[0].split("leave ")[1].split()[0]), rel=0.02)
    assert {row["run_id"] for row in pq.read_table(part.folder / "set_group.parquet").to_pylist()} == {"of-cg"}


def _plain(built):
    [path] = (built.parent / "build" / "parts" / "set-tiny-m").glob("capitals-*/set_influence.parquet")
    return path


def test_as_many_solutions_are_held_as_fit_and_one_at_least():
    layers = [SimpleNamespace(n_out=10, n_in=20), SimpleNamespace(n_out=5, n_in=10)]
    for held, expected in ((3.5, 3), (0.1, 1)):
        schedule = Schedule(memory=int(4 * 250 * held / HELD))
        whole = Whole(SimpleNamespace(asked=SimpleNamespace(layers=layers, schedule=schedule)), None)
        assert whole.at_once == expected
