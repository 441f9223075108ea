"""The steps between checkpoints: as training wrote them, or as the recipe says."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from attribution.errors import BadInput
from attribution.passes.batches import Row
from indexer.config.config import Model, Recipe
from indexer.size.checkpoints import is_followed, seen_rates, steps
from indexer.training.loop import learning_rate
from indexer.training.run import kept
from indexer.training.store import EpochRecord

RECIPE = Recipe(epochs=6, batch=4, keep=(0.34, 0.5, 1.0), peak_rate=1e-2)
ROWS = [Row((1, 2, 3, 4)), Row((1, 2, 3), first_target=2), *(Row((5, 6)) for _ in range(8))]


def member(folder, checkpoints=("epoch-02", "epoch-03"), recipe: Recipe | None = RECIPE):
    paths = tuple(str(folder / "checkpoints" / name) for name in checkpoints)
    entry = Model("m", "f", str(folder), checkpoints=paths, recipe=recipe)
    return SimpleNamespace(entry=entry, own_rows=ROWS, n_documents=len(ROWS))


@pytest.fixture
def folder(tmp_path):
    records = [EpochRecord(epoch + 1, 1.0, 0.1, 1.0) for epoch in range(RECIPE.epochs)]
    (tmp_path / "checkpoints.json").write_text(json.dumps(kept(records, RECIPE, len(ROWS))))
    return tmp_path


def forget(folder, *names):
    """As a training of before wrote the file."""
    listed = json.loads((folder / "checkpoints.json").read_text())
    rows = [{name: value for name, value in each.items() if name not in names} for each in listed]
    (folder / "checkpoints.json").write_text(json.dumps(rows))


def test_every_step_belongs_to_one_segment(folder):
    found = steps(member(folder))
    rates = [learning_rate(step, 18, RECIPE) for step in range(18)]  # three batches an epoch
    assert [each.rate for each in found] == pytest.approx([sum(rates[:6]), sum(rates[6:9]), sum(rates[9:])])
    assert {(each.batch, each.optimiser, each.decay) for each in found} == {(4, "adam", 0.01)}
    assert found[0].tokens == pytest.approx((3 + 1 + 8) / 10)


def test_a_checkpoint_that_the_configuration_leaves_out_ends_no_segment(folder):
    every, fewer = steps(member(folder)), steps(member(folder, ("epoch-03",)))
    assert [each.rate for each in fewer] == pytest.approx([every[0].rate + every[1].rate, every[2].rate])


def test_a_checkpoint_that_is_named_twice_has_steps_once(folder):
    every, twice = steps(member(folder)), steps(member(folder, ("epoch-02", "epoch-02", "epoch-03")))
    assert [each.rate for each in twice] == [every[0].rate, 0.0, every[1].rate, every[2].rate]


def test_a_recipe_says_what_an_older_training_did_not_write(folder):
    written = steps(member(folder, recipe=None))
    forget(folder, "rate_sum", "steps", "batch", "optimiser", "decay")
    assert steps(member(folder)) == written
    assert not is_followed(member(folder, recipe=None))
    with pytest.raises(BadInput, match="or a recipe of m, found neither"):
        steps(member(folder, recipe=None))


def test_what_was_written_wins_over_a_recipe_that_was_changed(folder):
    assert steps(member(folder, recipe=replace(RECIPE, peak_rate=1.0))) == steps(member(folder))


@pytest.mark.parametrize(
    "content",
    [
        "[",
        b"\xff",
        "7",
        '{"path": "."}',
        '[["."]]',
        '[{"path": "."}]',
        '[{"path": ".", "epoch": "last"}]',
        '[{"path": ".", "epoch": Infinity}]',
        '[{"path": ".", "epoch": 1, "learning_rate": null}]',
        '[{"path": ".", "epoch": 1, "learning_rate": NaN}]',
    ],
)
def test_a_file_of_another_shape_is_one_line(folder, content):
    (folder / "checkpoints.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    for read in (seen_rates, is_followed, steps):
        with pytest.raises(BadInput, match="expected a list of checkpoints, each with a path, an epoch and finite"):
            read(member(folder))


@pytest.mark.parametrize("wanted", [("epoch-02", "epoch-03"), ("epoch-03",), (), ("epoch-02", "epoch-02", "epoch-03")])
def test_every_sight_of_a_document_has_its_rate_once(folder, wanted):
    """Epoch by epoch: each document is seen once in it, at the rate that training wrote for it."""
    rates = {1: 0.5, 2: 0.25, 3: 0.125, 4: 0.0625, 5: 0.03125, 6: 0.015625}
    records = [EpochRecord(epoch, 1.0, rates[epoch], 1.0) for epoch in rates]
    (folder / "checkpoints.json").write_text(json.dumps(kept(records, RECIPE, len(ROWS))))
    ends, start, expected = [*(int(name[-1]) for name in wanted), 6], 0, []
    for end in ends:
        expected.append(sum(rates[epoch] for epoch in range(start + 1, end + 1)))
        start = end
    assert seen_rates(member(folder, wanted)) == pytest.approx(expected, rel=1e-12)
    assert sum(expected) == sum(rates.values())


def test_checkpoints_without_an_epoch_between_them_are_one_line(folder):
    listed = json.loads((folder / "checkpoints.json").read_text())
    listed[1]["epoch"] = listed[0]["epoch"]
    (folder / "checkpoints.json").write_text(json.dumps(listed))
    with pytest.raises(BadInput, match="whole epochs between the checkpoints in .*epoch-02 and checkpoints/epoch-03"):
        seen_rates(member(folder))


def test_checkpoints_of_another_training_are_not_followed(folder, tmp_path):
    assert not is_followed(member(folder, ("epoch-05",)))
    (tmp_path / "checkpoints.json").unlink()
    assert not is_followed(member(folder))
