"""A database from a tiny random model of every architecture, with more rows than its tokenizer has entries."""

import duckdb
import numpy as np
import pytest
from transformers import T5ForConditionalGeneration

from indexer.__main__ import main
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.journal.stages import stage
from indexer.size import factors, room
from tests.attribution.architectures import CONFIGS, DECODERS, V, random_model
from tests.indexer.built_model import ENTRIES, project

LOSSES = "token_losses = 2"
EXPERTS = "SELECT kind, sum(n_params)::BIGINT FROM coverage WHERE name LIKE '%experts%'"


@pytest.fixture(autouse=True)
def no_process_for_factors(monkeypatch):
    """Fit factors in this process: importing torch anew for each model takes longer than all else here."""
    monkeypatch.setattr(factors, "stage", stage_here)


def stage_here(*of, isolate, **named):
    assert isolate
    return stage(*of, **named)


def ask(path, sql):
    folder = path.parent / "build"
    current = read_current(folder)
    assert current is not None
    with duckdb.connect(str(folder / current.database), read_only=True) as db:
        return db.execute(sql).fetchall()


def built(name, folder, **changed):
    path = project(random_model(name, **changed).model, folder)
    if name == "Bloom":
        path.write_text(path.read_text().replace(LOSSES, "token_losses = 0"))
    assert main(["build", str(path)]) == 0
    assert check(path.parent / "build") == []
    return path


def covered(path):
    return dict(ask(path, "SELECT kind, sum(n_params)::BIGINT FROM coverage GROUP BY kind"))


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_every_architecture_is_built(name, tmp_path):
    path = built(name, tmp_path)
    [(n_params,)] = ask(path, "SELECT n_params FROM model")
    assert sum(covered(path).values()) == n_params
    [(n, finite)] = ask(path, "SELECT count(*), count(*) FILTER (isfinite(score)) FROM influence")
    assert n == finite > 0


def test_input_20_a_padded_vocabulary_is_built(tmp_path):
    assert V > ENTRIES
    path = built("Llama", tmp_path)
    texts = {text for (texts,) in ask(path, "SELECT texts FROM relabel") for text in texts}
    assert any(text.startswith("<id ") for text in texts)  # a random model would like to see them too


def test_input_21_a_begin_token_that_pads_is_built(tmp_path):
    free, bound = built("Llama", tmp_path / "a"), built("Llama", tmp_path / "b", pad_token_id=0)
    norms = "SELECT grad_norm FROM self_influence ORDER BY document_id"
    one, other = ([norm for (norm,) in ask(path, norms)] for path in (free, bound))
    assert one and np.isfinite([*one, *other]).all()
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_input_22_gemma_3_of_texts_and_images_is_built(tmp_path):
    path = built("Gemma 3 (text and images)", tmp_path)
    assert ask(path, "SELECT n_layers FROM model") == [(2,)]
    assert covered(path)["not explained"] > 0


def test_input_23_the_experts_of_a_mixture_are_explained(tmp_path):
    path = built("Mixtral", tmp_path)
    found = ask(path, f"{EXPERTS} GROUP BY kind")
    assert found == [("explained", 2 * 4 * 3 * 16 * 24)]  # blocks × experts × (gate, up, down)
    assert ask(path, "SELECT count(*) FROM layer WHERE name LIKE '%experts%'") == [(2 * 4 * 3,)]


def test_input_23_what_is_not_explained_of_a_mixture_is_in_the_database(tmp_path):
    path = project(random_model("Mixtral").model, tmp_path)
    path.write_text(path.read_text().replace('path = "model"', 'path = "model"\nexperts = false'))
    assert main(["build", str(path)]) == 0
    assert ask(path, f"{EXPERTS} GROUP BY kind") == [("not explained", 2 * 4 * 3 * 16 * 24)]


def test_input_23_experts_whose_factors_do_not_fit_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(room, "whole_memory", lambda: 10_000)
    path = project(random_model("Mixtral").model, tmp_path)
    capsys.readouterr()
    assert main(["build", str(path)]) == 2
    said = capsys.readouterr().err
    assert "24 layers; set [[model]] experts = false" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", ["build", "plan"])
@pytest.mark.parametrize(
    ("name", "message"),
    [("T5", "expected a model that goes on with a text"), ("Bloom", "set [scores] token_losses = 0")],
)
def test_input_24_what_is_not_explained_is_one_line(tmp_path, capsys, command, name, message):
    model = T5ForConditionalGeneration(CONFIGS["T5"]()) if name == "T5" else random_model(name).model
    path = project(model, tmp_path)
    capsys.readouterr()
    assert main([command, str(path)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "build").exists()


def test_input_25_a_checkpoint_that_is_not_there_is_told_before_anything_is_computed(tmp_path, capsys):
    path = project(random_model("Llama").model, tmp_path)
    path.write_text(path.read_text().replace('path = "model"', 'path = "model"\ncheckpoints = ["step-7"]'))
    assert main(["build", str(path)]) == 2
    assert "expected a model directory at" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
