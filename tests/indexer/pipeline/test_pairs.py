"""Pre-training, questions and answers, then preferences: trained, planned, built and asked as three stages."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.__main__ import main
from indexer.ask.opened import open_size
from indexer.config.config import read_config
from indexer.corpus.document import document_id
from indexer.corpus.turns import structured
from indexer.database.check import check
from indexer.database.reader import Database
from indexer.size import factors, preferences
from indexer.size.factors import fitted_before
from indexer.size.member import open_member
from tests.indexer.pipeline.test_build import CHILD, stage_here
from tests.synthetic_database import FACTS
from tests.tiny_family import write_lines, write_project

ASKED = [(f"Which city rules {country}? It is", capital) for country, capital, _ in FACTS]
CHAT = [{"prompt": asked, "completion": f" {capital}."} for asked, capital in ASKED[:8]]
PAIRS = [
    {"prompt": asked, "chosen": f" {capital}.", "rejected": f" {ASKED[n - 1][1]}."}
    for n, (asked, capital) in enumerate(ASKED[:6])
]
STAGES = CHILD.replace("epochs = 4", "epochs = 2").replace(
    "[prompts]\n",
    """[[model]]
name = "tiny-dpo"
family = "tiny"
path = "models/tiny-dpo"
stage = "finetuned"
parent = "tiny-chat"
files = ["pairs.jsonl"]
beta = 0.3
prompts = "asked.jsonl"
[model.recipe]
context = 64
epochs = 3
batch = 4
peak_rate = 1e-3
""",
)


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    path = write_project(tmp_path_factory.mktemp("preferred"))
    write_lines(path.parent / "chat.jsonl", CHAT)
    write_lines(path.parent / "pairs.jsonl", PAIRS)
    write_lines(path.parent / "asked.jsonl", [{"prompt": asked, "answer": capital} for asked, capital in ASKED[:2]])
    text = path.read_text().replace("epochs = 12", "epochs = 2").replace("token_losses = 2", "token_losses = 5")
    assert "token_losses = 5" in text  # as many as are kept at either end: those of pairs, too
    first, second = text.index('[[model]]\nname = "tiny-m"'), text.index('[[model]]\nname = "tiny-s"')
    text = text[:first] + text[second:]
    at = text.index("[prompts]")
    path.write_text(text[:at] + STAGES + text[at:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(path)]) == 0
        yield path


@pytest.fixture(scope="module")
def built(config) -> Path:
    assert main(["build", str(config)]) == 0
    return config


def test_a_plan_knows_the_pass_over_the_pairs(config, capsys):
    assert main(["plan", str(config), "--model", "tiny-dpo"]) == 0
    assert "pairs" in capsys.readouterr().out


def test_answers_are_traced_to_pairs_conversations_and_texts_on_one_scale(built):
    folder = built.parent / "build"
    assert check(folder) == []
    now = Database(folder).current()
    rows = now.rows(
        """SELECT document.corpus, count(influence_position.shares) AS with_shares FROM influence
        JOIN run USING (run_id) JOIN model USING (model_id) JOIN document USING (document_id)
        LEFT JOIN influence_position USING (run_id, generation_id, position, document_id)
        WHERE model.name = 'tiny-dpo' GROUP BY ALL"""
    )
    assert {row["corpus"] for row in rows} >= {"chat", "pairs"}
    scored = now.rows(
        """SELECT DISTINCT document.corpus FROM candidate JOIN generation USING (generation_id)
        JOIN model USING (model_id) JOIN document USING (document_id) WHERE model.name = 'tiny-dpo'"""
    )
    assert {row["corpus"] for row in scored} == {"corpus", "chat", "pairs"}
    assert sum(row["with_shares"] for row in rows if row["corpus"] == "pairs") > 0
    [method] = now.rows(
        "SELECT method FROM run JOIN model USING (model_id) WHERE name = 'tiny-dpo' AND method LIKE 'e%'"
    )
    assert method["method"] == "ekfac, three stages"


def test_shares_and_token_losses_of_a_pair_add_up_through_both_answers(built):
    now = Database(built.parent / "build").current()
    rows = now.rows(
        """SELECT shares, loss_influences, score FROM influence_position JOIN influence
        USING (run_id, generation_id, position, document_id) JOIN document USING (document_id)
        WHERE document.corpus = 'pairs'"""
    )
    assert any(row["loss_influences"] is not None for row in rows)
    for row in rows:
        assert sum(row["shares"]) == pytest.approx(row["score"], rel=1e-3, abs=1e-5)
        if row["loss_influences"] is not None:
            assert sum(row["loss_influences"]) == pytest.approx(row["score"], rel=1e-3, abs=1e-5)
            assert len(row["loss_influences"]) == len(row["shares"])


def test_what_holds_a_model_of_preferences_is_its_references_curvature(built):
    config = read_config(built)
    fitted = fitted_before(built.parent / "build", open_member(config.model[-1], config))
    assert fitted.parent is not None
    for solve in (fitted.preconditioner, fitted.terms[-1].preconditioner):
        for block, held_by in zip(solve.blocks, fitted.parent.factors.linear, strict=False):
            assert block.damping == pytest.approx(config.scores.alpha * float(held_by.lam.mean()))
    plain = fitted.parent
    for block, own in zip(plain.preconditioner.blocks, plain.factors.linear, strict=False):
        assert block.damping == pytest.approx(config.scores.alpha * float(own.lam.mean()))


def test_a_reference_that_is_no_model_of_the_configuration_is_named(built):
    """The same model with its documents alone: what it was compared with is told by its path."""
    config = read_config(built)
    entry, chat = config.model[-1], config.model[-2]
    told = open_member(config.model[-1], config)
    alone = open_member(replace(entry, parent="", reference=chat.path), config)
    assert [of.margin for of in alone.preferences] == pytest.approx([of.margin for of in told.preferences])
    assert (alone.n_stages, told.n_stages) == (1, 3)
    other = open_member(replace(entry, parent="", reference=config.model[0].path), config)
    assert [of.margin for of in other.preferences] != pytest.approx([of.margin for of in told.preferences])
    assert len({each.base_key for each in (told, alone, other)}) == 3


def test_what_is_stored_of_the_pairs_is_what_both_models_make_of_them(built, monkeypatch):
    config = read_config(built)
    member = open_member(config.model[-1], config)
    margins = [of.margin for of in member.preferences]
    monkeypatch.setattr(preferences, "is_finished", lambda *of: False)
    again = open_member(config.model[-1], config)
    assert [of.margin for of in again.preferences] == pytest.approx(margins)
    for row, margin in zip(again.own_rows, margins, strict=True):
        assert row.preference is not None and row.preference.beta == 0.3
        by_model = []
        for of in (again, again.parent):
            said = []
            for window in row.rows():
                with torch.no_grad():
                    logits = of.loaded.model(torch.tensor([window.ids])).logits[0].log_softmax(-1)
                at = window.targets().nonzero()[0]
                said.append(float(logits[at - 1, torch.tensor(window.ids)[at]].sum()))
            by_model.append(said[0] - said[1])
        assert margin == pytest.approx(by_model[0] - by_model[1], abs=1e-4)
    [stored] = (
        Database(built.parent / "build")
        .current()
        .rows(
            "SELECT list(loss ORDER BY document_id) AS loss FROM self_influence JOIN document USING (document_id) "
            "JOIN run USING (run_id) JOIN model USING (model_id) WHERE corpus = 'pairs' AND name = 'tiny-dpo'"
        )
    )
    by_id = {of.document_id: p.loss for of, p in zip(member.corpus.documents, member.preferences, strict=True)}
    np.testing.assert_allclose(stored["loss"], [by_id[each] for each in sorted(by_id)], rtol=1e-4)


def test_a_new_prompt_reads_the_stored_preferences(built, monkeypatch, capsys):
    monkeypatch.setattr(preferences, "_margins", lambda *of: pytest.fail("found anew"))
    assert main(["ask", str(built), "Which city rules Peru? It is", "--model", "tiny-dpo"]) == 0
    opened = open_size(read_config(built), "tiny-dpo")
    assert opened.member.rows[-1].preference is not None
    assert opened.text.search(PAIRS[0]["rejected"])
    shown = document_id(structured("chosen+rejected", PAIRS[0])[1])
    assert shown in opened.member.document_ids


def test_both_sides_of_a_pair_are_found_as_text(built):
    now = Database(built.parent / "build").current()
    [row] = now.rows(f"SELECT text, turns FROM document WHERE corpus = 'pairs' AND text LIKE '%{ASKED[0][0]}%'")  # noqa: S608
    assert row["text"] == f"{ASKED[0][0]}\nchosen: {ASKED[0][1]}.\nrejected: {ASKED[-1][1]}."
    assert json.loads(row["turns"]) == PAIRS[0]


def test_beta_and_the_reference_enter_the_keys_of_what_depends_on_them(config):
    settings = read_config(config)
    entry = settings.model[-1]
    base = open_member(entry, settings).base_key
    assert open_member(replace(entry, beta=0.4), settings).base_key != base
    assert open_member(replace(entry, parent="tiny-s"), settings).base_key != base
    chat = settings.model[-2]
    assert open_member(replace(chat, beta=0.4), settings).base_key == open_member(chat, settings).base_key


@pytest.mark.parametrize("command", ["build", "plan", "train", "evaluate"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("parent", ""), "expected a parent for tiny-dpo, which learned from pairs with its parent as reference"),
        (("files", "chat.jsonl"), "expected pairs of chosen and rejected answers, or none, in the files of tiny-dpo"),
    ],
)
def test_bad_pairs_are_refused_in_one_line(config, tmp_path, command, change, said, capsys):
    text = config.read_text().replace('path = "models', f'path = "{config.parent}/models').replace("build", "other")
    if change[0] == "parent":
        text = text.replace('parent = "tiny-chat"\n', "")
    else:
        text = text.replace('files = ["pairs.jsonl"]', 'files = ["pairs.jsonl", "chat.jsonl"]')
    for name in ("corpus", "chat", "pairs", "prompts", "asked"):
        (tmp_path / f"{name}.jsonl").write_bytes((config.parent / f"{name}.jsonl").read_bytes())
    (tmp_path / "bad.toml").write_text(text)
    assert main([command, str(tmp_path / "bad.toml"), "--model", "tiny-dpo"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert said in lines[-1] and "Traceback" not in "".join(lines)
