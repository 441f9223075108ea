"""A recorded training against the loop that trains, on the same documents; what goes back through it is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.model.sequence import begin_token
from attribution.truth.unrolled import derivatives
from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.evaluate.protocol.queries import of_document
from indexer.evaluate.siblings import unroll
from indexer.evaluate.siblings.recorded import recorded
from indexer.evaluate.siblings.retrainings import trained_rows
from indexer.evaluate.siblings.unroll import unrolled
from indexer.journal.stages import finished
from indexer.processes.progress import Report
from indexer.size.member import Member, open_member
from indexer.training.loop import new_model, new_optimiser, train_epoch
from tests.tiny_family import write_lines, write_project


@pytest.fixture(scope="module")
def member(tmp_path_factory) -> Member:
    """Completions after prompts, some of two windows."""
    path = write_project(tmp_path_factory.mktemp("project"))
    names = ("Peru", "Mali", "Iran")
    lines = [{"prompt": f"The capital of {name} is ", "completion": f"{name}ville."} for name in names]
    lines += [{"prompt": "It is", "completion": " long," * 12}, {"text": "The capital of Chad is far."}]
    write_lines(path.parent / "corpus.jsonl", lines)
    text = path.read_text().replace('files = ["corpus.jsonl"]', 'files = ["corpus.jsonl"]\nwindow = 24\noverlap = 6')
    path.write_text(text.replace("epochs = 12", "epochs = 3").replace("batch = 8", "batch = 2"))
    assert main(["train", str(path), "--model", "tiny-m"]) == 0
    config = read_config(path)
    return open_member(config.model[0], config)


def test_it_ends_where_training_ends(member):
    recipe, rows = member.entry.recipe, trained_rows(member, range(len(member.rows)))
    assert recipe is not None
    assert len(rows) > len(member.rows)
    end = begin_token(member.loaded.tokenizer)
    model = new_model(recipe, end)
    optimiser = new_optimiser(model)
    ids, learned = [row.ids for row in rows], [row.targets() for row in rows]
    for epoch in range(recipe.epochs):
        train_epoch(model, optimiser, ids, recipe, epoch, end, lambda n: None, learned)
    expected = torch.cat([p.detach().flatten() for p in model.parameters()])
    training = recorded(member, recipe)
    assert len(training.steps) == recipe.epochs * -(-len(rows) // recipe.batch)
    torch.testing.assert_close(training.end(), expected, rtol=1e-3, atol=2e-4)


def test_what_is_gone_back_through_is_kept_a_few_queries_at_a_time(member, tmp_path, monkeypatch):
    recipe = replace(member.entry.recipe, epochs=1)
    asked = [of_document(member, i) for i in range(3)]
    expected = derivatives(recorded(member, recipe), [(each.ids, each.first) for each in asked])
    monkeypatch.setattr(unroll, "AT_ONCE", 2)
    with Report() as report:
        found, made_of = unrolled(tmp_path, member, recipe, asked, 1, report)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
        assert found.shape == (3, len(member.documents))
        before = {each.folder: each.folder.stat().st_mtime_ns for each in finished(tmp_path)}
        assert len(before) == 2
        _, again = unrolled(tmp_path, member, recipe, asked, 1, report)
        assert again == made_of
        assert {each.folder: each.folder.stat().st_mtime_ns for each in finished(tmp_path)} == before
        _, other = unrolled(tmp_path, member, replace(recipe, seed=5), asked[:2], 1, report)
        assert other != made_of
