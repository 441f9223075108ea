"""Whole groups of a family in miniature, pre-trained and tuned: what they do is what their documents do together."""

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest
import torch

from attribution.truth.pbrf import tracked_parameters
from attribution.truth.tail_patch import mean_loss
from indexer.__main__ import main
from indexer.ask.opened import open_size
from indexer.config.config import read_config
from indexer.corpus.prompt_file import read_prompts
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.groups import stage, sums
from indexer.journal.stages import drop, finished
from indexer.size import factors
from indexer.size.answers import answer
from indexer.size.rendered import as_read
from indexer.size.terms import score
from indexer.tracing import candidates
from indexer.tracing.left import Left
from tests.indexer.pipeline.test_build import CHILD, stage_here
from tests.synthetic_database import FACTS
from tests.tiny_family import PROMPTS, TEXTS, write_lines, write_project

QUICK = [
    ("epochs = 12", "epochs = 1"),
    ("max_new_tokens = 4", 'max_new_tokens = 3\nsaliency = ["grad_x_input"]'),
    ("[scores]", '[inside]\nenabled = false\n[scores]\nmethod = ["ekfac"]'),
]
BY = '\n[groups]\nby = ["topic", "owner"]\n'
CHAT = [f"Question: What is the capital of {c}? Answer: {text}" for c, text in zip("ABCDEF", TEXTS, strict=False)]


@pytest.fixture(scope="module", autouse=True)
def no_process_for_factors():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The smallest size and what it was tuned to; one document of it stands in both corpora, one owns a group alone."""
    path = write_project(tmp_path_factory.mktemp("grouped"), prompts=PROMPTS[:2])
    rows = [
        {"text": text, "topic": "capital" if i < len(FACTS) else "money", "owner": "abc"[i % 3] if i else "alone"}
        for i, text in enumerate(TEXTS)
    ]
    write_lines(path.parent / "corpus.jsonl", rows)
    write_lines(path.parent / "chat.jsonl", [{"text": text, "owner": None} for text in [*CHAT, TEXTS[0]]])
    text = path.read_text()
    for before, after in QUICK:
        text = text.replace(before, after)
    first, second = text.index('[[model]]\nname = "tiny-m"'), text.index('[[model]]\nname = "tiny-s"')
    path.write_text(text[:first] + text[second:].replace("[prompts]\n", CHILD.lstrip()) + BY)
    assert main(["train", str(path)]) == 0
    assert main(["build", str(path)]) == 0
    return path


@pytest.fixture
def project(built, tmp_path) -> Path:
    """A copy to change."""
    shutil.copytree(built.parent, tmp_path / "project")
    return tmp_path / "project" / built.name


def rows(config: Path, sql: str) -> list[tuple]:
    current = read_current(config.parent / "build")
    assert current is not None
    with duckdb.connect(str(config.parent / "build" / current.database), read_only=True) as db:
        return db.execute(sql).fetchall()


def influences(config: Path, model: str) -> dict[tuple, tuple[float, float | None]]:
    found = rows(
        config,
        f"""SELECT prompt.text, position, corpus, column_name, value, score, error FROM group_influence
        JOIN generation USING (generation_id) JOIN prompt USING (prompt_id) JOIN model USING (model_id)
        WHERE name = '{model}'""",  # noqa: S608
    )
    return {tuple(row[:5]): (row[5], row[6]) for row in found}


def every_document(config: Path, model: str) -> dict[tuple, tuple[float, float]]:
    """By prompt, position and group: the sum over its documents, and that of their sizes."""
    opened = open_size(read_config(config), model)
    traced = opened.traced
    assert traced is not None
    member, found = opened.member, {}
    everyone = np.arange(len(member.documents))
    groups = np.array([(each.corpus, each.topic) for each in member.documents])
    for prompt in as_read(member, read_prompts(member.config.prompts.file)):
        said = answer(member.loaded, prompt, member.config.prompts.max_new_tokens)
        total = np.zeros((said.n_targets, len(everyone)))
        for term in traced.fitted.terms:
            directions = term.directions(said, range(said.n_targets))
            wanted = np.ones(total.shape, dtype=bool)
            total += score(term, directions, member.rows, everyone, wanted, None).values.sum(-1)
        for position, by_document in enumerate(total):
            for corpus in set(groups[:, 0]):
                inside = groups[:, 0] == corpus
                parts = {"": inside} | {topic: inside & (groups[:, 1] == topic) for topic in set(groups[inside, 1])}
                for topic, mine in parts.items():
                    sizes = float(by_document[mine].sum()), float(abs(by_document[mine]).sum())
                    for column in ["topic"] if topic else ["", "topic"] if corpus == "chat" else [""]:
                        found[said.prompt.text, position, corpus, column, topic] = sizes
    return found


@pytest.mark.parametrize("model", ["tiny-s", "tiny-chat"])
def test_a_group_does_what_all_its_documents_do(built, model):
    found, expected = influences(built, model), every_document(built, model)
    assert {at[2:] for at in expected} >= {("corpus", "topic", "money"), ("corpus", "", "")}
    assert (("chat", "topic", "") in {at[2:] for at in found}) == (model == "tiny-chat")
    assert expected.keys() <= found.keys()
    for at, (total, size) in expected.items():
        score_of, error = found[at]
        assert error is None
        assert abs(score_of - total) <= 1e-5 * size


def test_the_database_is_whole_and_knows_the_groups(built):
    assert check(built.parent / "build") == []
    groups = rows(built, "SELECT corpus, column_name, value, n_documents FROM corpus_group")
    assert ("corpus", "owner", "alone", 1) in groups
    assert ("chat", "owner", "", len(CHAT) + 1) in groups
    owners = rows(built, "SELECT value, count(*) FROM document_group WHERE column_name = 'owner' GROUP BY ALL")
    assert dict(owners)["alone"] == 1


def test_what_was_not_watched_is_passed_again_and_directions_are_made_again(project, monkeypatch):
    before = influences(project, "tiny-chat")
    folder = project.parent / "build"
    drop(folder, [part for part in finished(folder) if part.stage.startswith(("groups-", "grouped-"))])
    scored = [part.key for part in finished(folder) if part.stage.startswith("scores-")]
    monkeypatch.setattr(Left, "file", "rows-of-a-later-build.parquet")  # which no part of the influence stage has
    made_again, again_of = [], stage._again
    monkeypatch.setattr(stage, "_again", lambda *of: made_again.append(of[3].key) or again_of(*of))
    again_in_blocks = iter([2, 2, 3, 3])
    monkeypatch.setattr(sums, "cells_held", lambda _tracked: next(again_in_blocks, 3))
    assert main(["build", str(project)]) == 0
    parts = [part for part in finished(folder) if part.stage.startswith("groups-tiny-s")]
    assert len(list(parts[-1].folder.glob("cells-*.safetensors"))) > 1
    assert sorted(made_again) == sorted(scored) != []
    again = influences(project, "tiny-chat")
    assert again.keys() == before.keys()
    scale = max(abs(value) for value, _ in before.values())
    for at, (value, error) in again.items():
        assert error is None
        assert abs(value - before[at][0]) <= 1e-5 * scale


def test_a_build_from_before_gets_its_groups(project):
    """Its influence stage is not computed again, and its parts hold no rows of groups."""
    before = influences(project, "tiny-chat")
    folder = project.parent / "build"
    shutil.rmtree(folder)
    project.write_text(project.read_text().replace(BY, "\n[groups]\nby = []\n"))
    assert main(["build", str(project)]) == 0
    assert rows(project, "SELECT * FROM group_influence") == []
    scored = {part.key for part in finished(folder) if part.stage.startswith("scores-")}
    assert open_size(read_config(project), "tiny-s").groups is None
    project.write_text(project.read_text().replace("\n[groups]\nby = []\n", BY))
    assert main(["build", str(project)]) == 0
    assert {part.key for part in finished(folder) if part.stage.startswith("scores-")} == scored
    again = influences(project, "tiny-chat")
    scale = max(abs(value) for value, _ in before.values())
    assert again.keys() == before.keys()
    assert all(abs(again[at][0] - value) <= 1e-5 * scale for at, (value, _) in before.items())
    assert check(folder) == []


def test_without_room_the_index_estimates_them_and_says_how_well(project, monkeypatch, capsys):
    exact = influences(project, "tiny-s")
    shutil.rmtree(project.parent / "build")
    project.write_text(project.read_text() + "disk = 0\n")
    monkeypatch.setattr(candidates, "N_RANDOM", 12)
    assert main(["build", str(project)]) == 0
    found = influences(project, "tiny-s")
    assert found.keys() == exact.keys()
    off = np.array([(found[at][0] - value) / found[at][1] for at, (value, _) in exact.items() if at[4] != "alone"])
    assert (abs(off) < 3).mean() > 0.8
    assert check(project.parent / "build") == []
    folder = project.parent / "build"
    drop(folder, [part for part in finished(folder) if part.stage.startswith("grouped-")])
    assert main(["build", str(project)]) == 0
    assert influences(project, "tiny-s").keys() == found.keys()
    capsys.readouterr()
    assert main(["ask", str(project), "The capital of France is", "--model", "tiny-s", "--json"]) == 0
    asked = json.loads(capsys.readouterr().out)["groups"]
    whole = next(of for of in asked if of["column"] == "")
    assert len(whole["error"]) == len(whole["score"])


def test_a_new_prompt_is_told_what_a_build_stores(built, capsys):
    stored = influences(built, "tiny-chat")
    capsys.readouterr()
    assert main(["ask", str(built), "The capital of France is", "--model", "tiny-chat", "--json"]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert len(asked["groups"]) == len({at[2:] for at in stored})
    for of in asked["groups"]:
        assert of["error"] is None
        for position, value in enumerate(of["score"]):
            at = asked["prompt"], position, of["corpus"], of["column"], of["value"]
            assert value == pytest.approx(stored[at][0], rel=1e-4, abs=1e-7)
    assert main(["ask", str(built), "The capital of France is", "--model", "tiny-s"]) == 0
    said = capsys.readouterr().out
    assert "whole group" in said
    assert "owner: alone" in said or "owner: a" in said
    assert "all of corpus" in said


def test_the_run_says_in_which_regime_its_model_is(built):
    """A model of its own has no parent; one that was tuned stands somewhere else than its parent, measured anew."""
    found = {
        name: json.loads(settings)["regime"]
        for name, settings in rows(built, "SELECT name, settings FROM run JOIN model USING (model_id)")
    }
    assert found["tiny-s"]["parent_distance"] is None and found["tiny-s"]["near_minimum"] is False
    config = read_config(built)
    child = next(each for each in config.model if each.parent)
    for each in config.model:
        assert found[each.name]["finetuned"] is bool(each.parent)
        mean, moved = found[each.name]["mean_gradient"], found[each.name]["parent_distance"]
        assert found[each.name]["near_minimum"] is (bool(each.parent) and mean < 0.25 and moved < 0.1)
    one, other = (open_size(config, name).member.loaded.model.state_dict() for name in (child.name, child.parent))
    names = [name for name, _ in open_size(config, child.name).member.loaded.model.named_parameters()]
    moved = np.concatenate([(one[name] - other[name]).double().flatten().numpy() for name in names])
    length = np.concatenate([other[name].double().flatten().numpy() for name in names])
    expected = np.linalg.norm(moved) / np.linalg.norm(length)
    assert found[child.name]["parent_distance"] == pytest.approx(expected, rel=1e-3)
    for name, of in found.items():
        opened = open_size(config, name)
        assert opened.traced is not None
        rows_of = list(opened.member.own_rows)
        norms = opened.traced.norms.grad_norm[-len(rows_of) :].astype(np.float64)
        model = opened.member.loaded.model
        n_targets = sum(int(each.targets().sum()) for row in rows_of for each in row.rows())
        loss = mean_loss(model, [each for row in rows_of for each in row.rows()]) * n_targets
        explained = tracked_parameters(opened.member.tracked)
        whole = torch.autograd.grad(loss, [dict(model.named_parameters())[each] for each in explained])
        length = float(torch.cat([each.flatten() for each in whole]).norm()) / len(rows_of)
        assert of["mean_gradient"] == pytest.approx(length / np.sqrt((norms**2).mean()), rel=2e-3)
