"""Everything that a forecast stands on is measured, on few tokens, and nothing as large as the factors is made."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from attribution.model.tracked import Tracked
from indexer.config.config import read_config
from indexer.corpus.prompt_file import read_prompts
from indexer.plan import measured
from indexer.plan.command import MEASURED, with_found
from indexer.plan.measured import measure
from indexer.plan.outlined import Outlined, work_of
from indexer.plan.speeds import assumed
from indexer.plan.work import Work
from indexer.size.member import Member, open_member
from indexer.training.loop import new_model
from indexer.training.store import save_model
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import PROMPTS, TEXTS, write_project


@pytest.fixture(scope="module")
def member(tmp_path_factory) -> Member:
    path: Path = write_project(tmp_path_factory.mktemp("project"), prompts=PROMPTS)
    config = read_config(path)
    entry = config.model[0]
    tokenizer = train_tokenizer(TEXTS, entry.recipe.vocabulary)
    save_model(new_model(entry.recipe, tokenizer.eos_token_id), tokenizer, Path(entry.path))
    return open_member(entry, replace(config, model=(entry,)))


def work(member: Member) -> Work:
    return work_of(Outlined(member.entry, None, member.tracked, member.corpus), member.config, ["The capital"])


def found(member: Member, monkeypatch) -> dict:
    monkeypatch.setattr(measured, "BRIEF", 1e-3)
    prompts = read_prompts(member.config.prompts.file)
    known = {}
    for each in measure(member, prompts, work(member), assumed("cpu", member.loaded.n_params)):
        known |= each
    return known


def test_every_rate_is_measured_and_every_length(member, monkeypatch):
    known = found(member, monkeypatch)
    assert set(known) == MEASURED | {"n_tokens", "longest", "widest", "n_read", "n_written"}
    sides = {side for of in member.tracked.linear for side in (of.n_out, of.n_in)}
    assert set(known["turned"]) == sides
    assert set(known["formed"]) == {(of.n_out, of.n_in) for of in member.tracked.linear}
    speeds, after = with_found(assumed("cpu", 1), work(member), known)
    assert all(value > 0 for field in fields(speeds) if isinstance(value := getattr(speeds, field.name), float))
    assert 1 <= after.n_written <= member.config.prompts.max_new_tokens
    assert after.longest <= member.loaded.context


def test_a_build_without_influence_measures_answers_alone(member, monkeypatch):
    none = replace(member.config, scores=replace(member.config.scores, method=()))
    known = found(replace(member, config=none), monkeypatch)
    assert set(known) == {"n_read", "n_written", "written", "shared"}


def test_no_layer_is_measured_twice_and_no_gradients_of_all_are_held(member, monkeypatch):
    asked = []

    def counted(self: Tracked, *shape: int) -> torch.Tensor:
        asked.append(shape)
        return torch.zeros(shape)

    monkeypatch.setattr(Tracked, "zeros", counted)
    monkeypatch.setattr(measured, "BRIEF", 1e-3)
    for shape in work(member).shapes.linear:
        measured._formed(member.tracked, shape, 8)
    held = member.tracked.schedule.cached
    assert max(torch.Size(shape).numel() for shape in asked) <= max(held, 8 * member.tracked.schedule.tokens)
