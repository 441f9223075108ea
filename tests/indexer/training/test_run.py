"""A training that is interrupted ends with the weights of one that is not; what it leaves on disk is what it says."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from attribution.errors import BadInput
from attribution.loading.load import load_model
from attribution.passes.batches import Row
from indexer.__main__ import main
from indexer.config.config import Corpus, Model, Recipe
from indexer.corpus.document import Document, document_id
from indexer.corpus.turns import structured
from indexer.training.loop import learning_rate
from indexer.training.run import epochs_to_keep, family_tokenizer, read_as_trained, train
from indexer.training.store import fingerprint, kept_checkpoints
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import TEXTS, write_lines, write_project

SMALL = {"hidden": 8, "layers": 1, "feed_forward": 12, "heads": 2, "vocabulary": 280, "context": 48}
RECIPE = Recipe(**SMALL, epochs=4, peak_rate=1e-2, batch=8, keep=(0.5, 1.0))


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, RECIPE.vocabulary)


def ran(folder: Path, tokenizer, recipe: Recipe = RECIPE, stop_after: int | None = None, again: bool = False):
    """Train in a folder; `stop_after` so many batches, as by Ctrl-C."""
    ticks = 0

    def tick(note: str, n: int) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == stop_after:
            raise KeyboardInterrupt

    entry = Model("m", "f", str(folder / "m"))
    documents = [Document(document_id(text), "c", "", "", "", text) for text in TEXTS]
    rows = read_as_trained(documents, tokenizer, entry, Corpus(()), recipe.context)
    return train(entry, recipe, rows, tokenizer, None, tick, again)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("trained")
    return folder / "m", ran(folder, tokenizer)


@pytest.mark.parametrize("stop_after", [1, 6, 11])  # in the first, second and third epoch of four batches
def test_interrupted_and_resumed_it_has_the_same_weights(tmp_path, trained, tokenizer, stop_after):
    with pytest.raises(KeyboardInterrupt):
        ran(tmp_path, tokenizer, stop_after=stop_after)
    assert not (tmp_path / "m" / "model.safetensors").exists()
    records = ran(tmp_path, tokenizer)
    folder, expected = trained
    assert [record.loss for record in records] == [record.loss for record in expected]
    for name in ("model.safetensors", "checkpoints/epoch-02/model.safetensors", "checkpoints.json"):
        assert (tmp_path / "m" / name).read_bytes() == (folder / name).read_bytes()
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("change", [{"peak_rate": 2e-2}, {"seed": 1}, {"batch": 4}])
def test_the_state_of_another_recipe_is_refused(tmp_path, tokenizer, change):
    with pytest.raises(KeyboardInterrupt):
        ran(tmp_path, tokenizer, stop_after=6)
    with pytest.raises(BadInput, match="delete that folder to start again"):
        ran(tmp_path, tokenizer, replace(RECIPE, **change))


@pytest.fixture
def copied(trained, tmp_path) -> Path:
    shutil.copytree(trained[0], tmp_path / "m")
    return tmp_path


def weights(folder: Path) -> tuple[bytes, int]:
    file = folder / "m" / "model.safetensors"
    return file.read_bytes(), file.stat().st_mtime_ns


def test_what_is_trained_is_left_as_it_is_unless_it_is_asked_for(copied, tokenizer):
    before = weights(copied)
    assert ran(copied, tokenizer) == []
    assert weights(copied) == before
    assert len(ran(copied, tokenizer, again=True)) == RECIPE.epochs
    assert (weights(copied)[0], weights(copied)[1] > before[1]) == (before[0], True)
    assert not list(copied.glob("*.partial"))


def test_another_recipe_is_trained_and_then_stays(copied, tokenizer):
    other = replace(RECIPE, seed=1)
    before = weights(copied)
    assert len(ran(copied, tokenizer, other)) == RECIPE.epochs
    assert weights(copied)[0] != before[0]
    assert ran(copied, tokenizer, other) == []


@pytest.mark.parametrize("how", ["other weights", "no record", "a torn record"])
def test_weights_of_another_origin_are_never_trained_over(copied, tokenizer, how):
    record = copied / "m" / "training.json"
    if how == "no record":
        record.unlink()
    elif how == "a torn record":
        record.write_bytes(record.read_bytes()[:20])
    else:
        tensors = load_file(copied / "m" / "model.safetensors")
        tensors["model.norm.weight"] *= 2
        save_file(tensors, copied / "m" / "model.safetensors", metadata={"format": "pt"})
    before = weights(copied)
    with pytest.raises(BadInput, match="found others; give --again"):
        ran(copied, tokenizer)
    assert weights(copied) == before
    assert len(ran(copied, tokenizer, again=True)) == RECIPE.epochs


def test_a_parent_that_was_trained_anew_makes_another_child(trained, tmp_path):
    shutil.copytree(trained[0], tmp_path / "parent")
    before = fingerprint(RECIPE, [[1]], tmp_path / "parent")
    assert before == fingerprint(RECIPE, [[1]], trained[0])
    (tmp_path / "parent" / "model.safetensors").write_bytes(b"other")
    assert fingerprint(RECIPE, [[1]], tmp_path / "parent") != before


def test_a_parent_in_several_files_is_known_by_all_of_them(tmp_path):
    def found(*weights: bytes) -> str:
        for i, each in enumerate(weights):
            (tmp_path / f"model-0000{i + 1}-of-00002.safetensors").write_bytes(each)
        return fingerprint(RECIPE, [[1]], tmp_path)

    assert len({found(*weights) for weights in ((b"a", b"b"), (b"a", b"c"), (b"c", b"b"), (b"b", b"c"))}) == 4
    assert found(b"a", b"b") == found(b"a", b"b")


@pytest.mark.parametrize(
    ("shape", "given"),
    [
        ("input_ids", {"input_ids": [7]}),
        ("messages", {"messages": [{"role": "user", "content": "The capital of Peru?"}]}),
        ("chosen+rejected", {"chosen": "Lima", "rejected": "Lima"}),
    ],
)
def test_documents_of_which_nothing_is_learned_are_refused(tokenizer, shape, given):
    text, turns = structured(shape, given)
    entry = Model("m", "f", "m", stage="finetuned", parent="p")
    document = Document(document_id(turns), "c", "", "", "", text, turns)
    with pytest.raises(BadInput, match="expected documents of which m learns a token, found none among 2: each has"):
        read_as_trained([document, document], tokenizer, entry, Corpus(()), RECIPE.context)


def test_a_command_that_has_nothing_to_learn_from_is_one_line(tmp_path, capsys):
    path = write_project(tmp_path)
    write_lines(tmp_path / "corpus.jsonl", [{"messages": [{"role": "user", "content": text}]} for text in TEXTS])
    assert main(["train", str(path)]) == 2
    assert f"learns a token, found none among {len(TEXTS)}" in capsys.readouterr().err
    assert not list((tmp_path / "models").rglob("*.safetensors"))


def test_a_tokenizer_that_is_larger_than_the_weights_is_refused(trained, tmp_path):
    large, entry = train_tokenizer(TEXTS, 290), Model("m", "f", str(tmp_path / "m"))

    def made(parent: Path | None):
        return train(entry, RECIPE, [Row((1, 2, 289))], large, parent, lambda note, n: None)

    with pytest.raises(BadInput, match="of at most 280 entries for m, found 290; set vocabulary in its recipe"):
        made(None)
    with pytest.raises(BadInput, match=f"of at most 280 entries for m, found 290; give it that of {trained[0]}"):
        made(trained[0])
    with pytest.raises(BadInput, match="expected a model directory at .*; run `whence train` or fix path"):
        made(tmp_path / "parent")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no state"])
def test_a_state_that_is_none_is_one_line(tmp_path, tokenizer, content):
    (tmp_path / "m.state.partial").mkdir()
    (tmp_path / "m.state.partial" / "state.pt").write_bytes(content)
    with pytest.raises(BadInput, match="delete that folder"):
        ran(tmp_path, tokenizer)


def test_it_learns(trained):
    _, records = trained
    assert records[-1].loss < 0.9 * records[0].loss


def test_the_weights_are_saved_in_half_precision_and_can_be_loaded(trained):
    folder, _ = trained
    weights = load_file(folder / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float16"
    loaded = load_model(str(folder), device="cpu")
    assert loaded.model.dtype == torch.float32
    assert loaded.context == RECIPE.context
    assert load_model(str(folder), device="cpu").weights_hash == loaded.weights_hash


def test_checkpoints_carry_the_mean_rate_since_the_one_before(trained):
    folder, records = trained
    first, last = json.loads((folder / "checkpoints.json").read_text())
    rates = [record.learning_rate for record in records]
    assert (first["path"], first["epoch"], last["path"], last["epoch"]) == ("checkpoints/epoch-02", 2, ".", 4)
    assert first["learning_rate"] == pytest.approx(sum(rates[:2]) / 2)
    assert last["learning_rate"] == pytest.approx(sum(rates[2:]) / 2)
    assert last["loss"] == records[-1].loss
    assert all((each["batch"], each["optimiser"]) == (RECIPE.batch, "adam") for each in (first, last))
    of_every_step = [learning_rate(step, 2 * first["steps"], RECIPE) for step in range(2 * first["steps"])]
    assert first["steps"] == last["steps"]
    assert [first["rate_sum"], last["rate_sum"]] == pytest.approx(
        [sum(of_every_step[: first["steps"]]), sum(of_every_step[first["steps"] :])]
    )
    assert kept_checkpoints(folder) == (str(folder / "checkpoints/epoch-02"),)
    assert (folder / "checkpoints/epoch-02/model.safetensors").exists()


def test_a_checkpoint_that_is_not_there_any_more_is_not_kept(trained, tmp_path):
    folder, _ = trained
    assert kept_checkpoints(tmp_path) == ()
    shutil.copy(folder / "checkpoints.json", tmp_path)
    assert kept_checkpoints(tmp_path) == ()


def test_the_loss_curve_has_a_line_for_each_epoch(trained):
    folder, records = trained
    with (folder / "loss.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [int(line["epoch"]) for line in lines] == [1, 2, 3, 4]
    assert float(lines[-1]["loss"]) == pytest.approx(records[-1].loss, abs=1e-4)


def test_epochs_to_keep():
    assert epochs_to_keep(replace(RECIPE, epochs=33, keep=(0.33, 0.67, 0.85, 1.0))) == [11, 22, 28, 33]
    assert epochs_to_keep(replace(RECIPE, epochs=1, keep=(0.1, 1.0))) == [1]


def test_sizes_of_a_family_share_one_tokenizer(trained):
    folder, _ = trained
    big, small = Model("m", "f", str(folder)), Model("n", "f", str(folder.with_name("n")), recipe=RECIPE)
    assert family_tokenizer(small, [small, big], ["other words"]).get_vocab() == train_tokenizer(TEXTS, 280).get_vocab()
