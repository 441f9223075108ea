"""Whatever the user gets wrong: one line that says what to do, exit code 2, and nothing half-written."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.__main__ import main
from indexer.config.config import Recipe
from indexer.evaluate import command as evaluate
from indexer.pipeline import build
from indexer.size import member
from indexer.training.loop import new_model
from indexer.training.store import save_model
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import TEXTS, write_lines, write_project

ROOT = Path(__file__).parents[2]
RECIPE = Recipe(hidden=8, layers=1, feed_forward=12, heads=2, vocabulary=280, context=48)
NORM = "model.norm.weight"


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> Path:
    """A project with models that are not trained: nothing is to be built."""
    config = write_project(tmp_path_factory.mktemp("project"))
    tokenizer = train_tokenizer(TEXTS, RECIPE.vocabulary)
    for seed, name in enumerate(["tiny-s", "tiny-m"]):
        recipe = replace(RECIPE, seed=seed)
        save_model(new_model(recipe, tokenizer.eos_token_id), tokenizer, config.parent / "models" / name)
    return config


@pytest.fixture
def folder(untouched, tmp_path) -> Path:
    shutil.copytree(untouched.parent, tmp_path / "project")
    return tmp_path / "project"


def change(path: Path, before: str, after: str) -> None:
    content = path.read_text()
    assert before in content
    path.write_text(content.replace(before, after))


def change_weights(folder: Path, edit) -> None:
    path = folder / "models/tiny-m/model.safetensors"
    weights = load_file(path)
    edit(weights)
    save_file(weights, path, metadata={"format": "pt"})


def checkpoint(folder: Path, **other: int) -> None:
    """Of tiny-m, but of a model of another size."""
    save_model(new_model(replace(RECIPE, **other), 0), None, folder / "early")
    change(folder / "tiny.toml", 'path = "models/tiny-m"', 'path = "models/tiny-m"\ncheckpoints = ["early"]')


def rates(folder: Path, content: str | None = None) -> None:
    """TracIn of models whose training left this `checkpoints.json`."""
    change(folder / "tiny.toml", "[scores]", '[scores]\nmethod = ["ekfac", "tracin"]')
    if content is not None:
        for name in ("tiny-s", "tiny-m"):
            (folder / "models" / name / "checkpoints.json").write_text(content)


MISTAKES = {
    "no configuration": (lambda f: (f / "tiny.toml").unlink(), "expected a configuration at"),
    "not TOML": (lambda f: (f / "tiny.toml").write_text("[corpus"), "expected TOML in"),
    "unknown key": (lambda f: change(f / "tiny.toml", "candidates", "candidats"), "did you mean 'candidates'?"),
    "unknown table": (lambda f: change(f / "tiny.toml", "[factors]", "[factor]"), "did you mean 'factors'?"),
    "wrong type": (lambda f: change(f / "tiny.toml", "candidates = 10", "candidates = '10'"), "expected int for"),
    "out of range": (lambda f: change(f / "tiny.toml", "candidates = 10", "candidates = 0"), "expected at least 1 for"),
    "unknown device": (lambda f: change(f / "tiny.toml", "[device]", "[device]\nname = 'x'"), "expected device 'auto'"),
    "no corpus": (lambda f: (f / "corpus.jsonl").unlink(), "expected a file at"),
    "corpus is a folder": (lambda f: ((f / "corpus.jsonl").unlink(), (f / "corpus.jsonl").mkdir()), "a readable file"),
    "corpus of another kind": (lambda f: change(f / "tiny.toml", "corpus.jsonl", "corpus.txt"), "found corpus.txt"),
    "line is not JSON": (
        lambda f: (f / "corpus.jsonl").write_text('{"text": "a"}\n{"text": \n'),
        "corpus.jsonl line 2",
    ),
    "no text column": (lambda f: write_lines(f / "corpus.jsonl", [{"txt": "a"}]), "expected a column 'text' in"),
    "nothing but empty documents": (
        lambda f: write_lines(f / "corpus.jsonl", [{"text": " "}]),
        "at least one document",
    ),
    "windows that overlap by more than a model reads": (
        lambda f: change(f / "tiny.toml", '["corpus.jsonl"]', '["corpus.jsonl"]\nwindow = 500\noverlap = 60'),
        "expected an overlap in [corpus] below the 48 tokens that tiny-m reads at once, its context, found 60;",
    ),
    "conversations in which no assistant says a word": (
        lambda f: write_lines(f / "corpus.jsonl", [{"messages": [{"role": "user", "content": "Hm?"}]}] * 2),
        "expected documents of which tiny-m learns a token, found none among 1:",
    ),
    "a fine-tuned stage that learns nothing": (
        lambda f: (
            write_lines(f / "chat.jsonl", [{"messages": [{"role": "user", "content": each}]} for each in "ab"]),
            change(f / "tiny.toml", '/tiny-s"', '/tiny-s"\nstage="finetuned"\nparent="tiny-m"\nfiles="chat.jsonl"'),
        ),
        "expected documents of which tiny-s learns a token, found none among 2:",
    ),
    "no prompts": (lambda f: (f / "prompts.jsonl").unlink(), "expected a file at"),
    "empty prompt": (lambda f: write_lines(f / "prompts.jsonl", [{"prompt": " "}]), "prompts.jsonl line 1"),
    "prompt of no known shape": (lambda f: write_lines(f / "prompts.jsonl", [{"promt": "a"}]), "'prompt', 'messages'"),
    "repeated prompt": (lambda f: write_lines(f / "prompts.jsonl", [{"prompt": "a"}] * 2), "every prompt once"),
    "prompt longer than the context": (
        lambda f: write_lines(f / "prompts.jsonl", [{"prompt": "The capital of " * 30}]),
        "expected a prompt of fewer than 48 tokens",
    ),
    "a tokenizer that is not there": (
        lambda f: change(f / "tiny.toml", 'family = "tiny"\n', 'family = "tiny"\ntokenizer = "/nowhere"\n'),
        "'/nowhere'",
    ),
    "a target set without a completion": (
        lambda f: (
            write_lines(f / "set.jsonl", [{"prompt": "a"}]),
            change(f / "tiny.toml", "[output]", "[[targets]]\nname = 'a'\nfile = 'set.jsonl'\n[output]"),
        ),
        "set.jsonl line 1: expected a completion in the target set a, found none",
    ),
    "no model": (lambda f: shutil.rmtree(f / "models/tiny-m"), "expected a model directory at"),
    "no safetensors": (
        lambda f: (f / "models/tiny-m/model.safetensors").rename(f / "models/tiny-m/pytorch_model.bin"),
        "expected weights as .safetensors",
    ),
    "missing tensor": (lambda f: change_weights(f, lambda w: w.pop(NORM)), f"found {NORM} missing from the file"),
    "NaN": (lambda f: change_weights(f, lambda w: w[NORM].fill_(torch.nan)), "expected finite weights"),
    "vocabulary that does not fit": (
        lambda f: train_tokenizer(TEXTS, 290).save_pretrained(f / "models/tiny-m"),
        "expected a tokenizer of at most 280 entries",
    ),
    "layers that are not there": (
        lambda f: change(f / "tiny.toml", "[factors]", "[factors]\nlayers = ['no_such_*']"),
        "no_such_",
    ),
    "no learning rates": (rates, "expected the learning rates of the checkpoints in"),
    "learning rates of another shape": (lambda f: rates(f, '{"path": "."}'), "expected a list of checkpoints, each"),
    "no rate of the last weights": (
        lambda f: rates(f, '[{"path": ".", "epoch": 1}]'),
        "expected the learning rate of . in",
    ),
    "two checkpoints in one epoch": (
        lambda f: rates(
            f,
            '[{"path": "first", "epoch": 1, "learning_rate": 0.1}, {"path": ".", "epoch": 1, "learning_rate": 0.1}]',
        ),
        "expected whole epochs between the checkpoints in",
    ),
    "a checkpoint of another depth": (
        lambda f: checkpoint(f, layers=2),
        "expected no tensor as model.layers.1.input_layernorm.weight in the checkpoint",
    ),
    "a checkpoint of another width": (
        lambda f: checkpoint(f, feed_forward=20),
        "found a tensor of 8 × 20; name earlier weights of the same model",
    ),
    "a checkpoint without settings": (
        lambda f: (checkpoint(f), (f / "early/config.json").write_text("{}")),
        "expected the settings of a model in the checkpoint",
    ),
    "output is a file": (lambda f: (f / "build").write_text("mine"), "expected a folder to write in"),
    "the same model twice": (
        lambda f: change(f / "tiny.toml", "models/tiny-s", "models/tiny-m"),
        "of different weights",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_written(folder, capsys, mistake):
    make, message = MISTAKES[mistake]
    make(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert main(["build", str(folder / "tiny.toml")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("whence: ")
    assert said.err.count("\n") == 1
    assert message in said.err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


SMALL = ["no prompts", "empty prompt", "a target set without a completion", "no model", "no safetensors"]


@pytest.mark.parametrize("mistake", [*SMALL, "a tokenizer that is not there"])
def test_what_small_files_tell_is_said_before_the_corpus_is_read(folder, capsys, monkeypatch, mistake):
    make, message = MISTAKES[mistake]
    make(folder)
    monkeypatch.setattr(build, "read_corpus", lambda *_, **__: pytest.fail("the corpus was read"))
    assert main(["build", str(folder / "tiny.toml")]) == 2
    assert message in capsys.readouterr().err


def test_a_checkpoint_of_another_model_is_told_before_a_weight_is_read(folder, capsys, monkeypatch):
    checkpoint(folder, hidden=16)
    monkeypatch.setattr(member, "load_model", lambda *_, **__: pytest.fail("weights were read"))
    assert main(["build", str(folder / "tiny.toml"), "--model", "tiny-m"]) == 2
    assert f"in the checkpoint {folder / 'early'}, as in {folder / 'models/tiny-m'}, found a" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["build"], ["train"]])
def test_a_model_that_the_configuration_does_not_know(folder, capsys, command):
    assert main([*command, str(folder / "tiny.toml"), "--model", "tiny-x"]) == 2
    assert "found 'tiny-x'; choose from tiny-m, tiny-s" in capsys.readouterr().err


def test_asking_before_building(folder, capsys):
    assert main(["ask", str(folder / "tiny.toml"), "The capital of Peru is"]) == 2
    said = capsys.readouterr().err
    assert "whence build" in said
    assert said.count("\n") == 1
    assert not (folder / "build").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("models", "expected a file for --save, found a folder at"),
        ("corpus.jsonl", "expected figures as JSON in"),
        ("models/tiny-s/config.json", "or give another name for --save"),
        ("nowhere/figures.json", "expected a folder for --save, found none at"),
    ],
)
def test_where_figures_cannot_be_saved_is_said_before_they_are_measured(folder, capsys, monkeypatch, name, said):
    monkeypatch.setattr(evaluate, "run", lambda *_: pytest.fail("it was measured"))
    there = {path: path.is_dir() or path.read_bytes() for path in folder.rglob("*")}
    assert main(["evaluate", str(folder / "tiny.toml"), "--full", "--save", str(folder / name)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert {path: path.is_dir() or path.read_bytes() for path in folder.rglob("*")} == there


def test_no_training_writes_over_another_models_weights(folder, capsys):
    change(folder / "tiny.toml", "models/tiny-s", "models/../models/tiny-m")
    before = (folder / "models/tiny-m/model.safetensors").read_bytes()
    assert main(["train", str(folder / "tiny.toml"), "--again"]) == 2
    error = capsys.readouterr().err
    assert "expected a path of its own for" in error and error.count("\n") == 1
    assert (folder / "models/tiny-m/model.safetensors").read_bytes() == before


def test_training_nothing(folder, capsys):
    text = (folder / "tiny.toml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith("[model.recipe")]
    recipe = ("hidden", "layers", "feed", "heads", "vocab", "context", "epochs", "peak", "batch", "keep")
    (folder / "tiny.toml").write_text("\n".join(line for line in kept if not line.startswith(recipe)))
    assert main(["train", str(folder / "tiny.toml")]) == 2
    assert "expected a model with [model.recipe] to train" in capsys.readouterr().err


def test_as_a_process_it_leaves_with_2_and_without_a_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "indexer", "build", str(tmp_path / "absent.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("whence: expected a configuration at")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["bild", "x"], ["build"], ["build", "x", "--strickt"]])
def test_a_command_line_that_is_none_shows_how_to_write_it(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m indexer" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["build", "train", "ask"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"python -m indexer {command}" in capsys.readouterr().out
