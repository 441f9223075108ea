"""Siblings that are trained side by side are those that are trained alone, and stay."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.model.sequence import begin_token
from attribution.threads import threads
from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.evaluate.siblings.retrainings import trained_rows
from indexer.evaluate.siblings.siblings import Planned, train_siblings
from indexer.journal.stages import finished
from indexer.processes.progress import Report
from indexer.size.member import Member, open_member
from tests.tiny_family import write_project


@pytest.fixture(scope="module")
def member(tmp_path_factory) -> Member:
    path = write_project(tmp_path_factory.mktemp("project"))
    assert main(["train", str(path), "--model", "tiny-m"]) == 0
    config = read_config(path)
    return open_member(config.model[0], config)


def wanted(of: Member) -> list[Planned]:
    recipe = of.entry.recipe
    assert recipe is not None
    few = replace(recipe, epochs=4, keep=(0.5, 1.0))
    documents = tuple(of.documents)
    return [Planned(f"{n}", few, documents[:n]) for n in (8, 10, 12)]


def weights(folder: Path) -> dict[str, str]:
    return {each.stage: each.files["model/model.safetensors"] for each in finished(folder)}


def test_processes_do_not_matter(member, tmp_path):
    with Report() as report:
        alone = train_siblings(tmp_path / "alone", member, wanted(member), 1, report)
        made = train_siblings(tmp_path / "two", member, wanted(member), 2, report)
    assert weights(tmp_path / "two") == weights(tmp_path / "alone")
    assert (
        [each.entry.name for each in made]
        == [each.entry.name for each in alone]
        == ["tiny-m-8", "tiny-m-10", "tiny-m-12"]
    )
    assert [len(each.documents) for each in made] == [8, 10, 12]
    assert all(len(each.entry.checkpoints) == 1 for each in made)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_do_not_matter(member, tmp_path, n_threads):
    with Report() as report:
        with threads(n_threads):
            train_siblings(tmp_path / "here", member, wanted(member), 1, report)
            assert torch.get_num_threads() == n_threads
        train_siblings(tmp_path / "there", member, wanted(member), 2, report)
    assert weights(tmp_path / "here") == weights(tmp_path / "there")


def test_threads_do_not_matter_to_what_is_asked(member, tmp_path):
    [*_, last] = wanted(member)
    rows = trained_rows(member, range(len(member.rows)))
    asked = tuple(row.ids for row in rows)
    training = Training(last.recipe, begin_token(member.loaded.tokenizer), rows[:12], asked)
    found = []
    for n_threads in (1, 2):
        with threads(n_threads):
            found.append(retrained(tmp_path / f"{n_threads}", last.name, training).logp)
            assert torch.get_num_threads() == n_threads
    np.testing.assert_array_equal(*found)


def test_what_is_trained_stays(member, tmp_path):
    with Report() as report:
        train_siblings(tmp_path, member, wanted(member)[:1], 2, report)
        before = finished(tmp_path)
        train_siblings(tmp_path, member, wanted(member)[:2], 2, report)
    assert finished(tmp_path)[: len(before)] == before
    assert len(finished(tmp_path)) == 2
