"""`evaluate` on a tiny family: everything is measured, kept, published; an interruption changes nothing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from indexer.__main__ import main
from indexer.corpus.document import document_id
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.evaluate import command, pbrf, with_training
from indexer.evaluate.measures import mislabelled
from indexer.evaluate.protocol.scale import Scale, Small
from indexer.evaluate.siblings import retrain, siblings
from indexer.evaluate.statistics.metrics import metric
from indexer.journal.stages import finished, stage
from indexer.size import factors
from tests.tiny_family import PROMPTS, TEXTS, write_lines, write_project

TINY = Scale(
    "tiny",
    24,
    25,
    halves=4,
    second_seeds=2,
    queries=4,
    removals=(2,),
    removal_queries=2,
    removal_documents=24,
    removal_epochs=30,
    planted=2,
    upweighted=3,
    choosing_seeds=2,
    topics=2,
    topic_seeds=2,
)
FEW = {
    "fractions": (0.25,),
    "fraction_models": 3,
    "small": Small(10, epochs=2, halves=4, seeds=2, queries=3, singles=2, single_seeds=2),
}


def stage_here(*of, isolate, **named):
    assert isolate
    return stage(*of, **named)


@pytest.fixture(scope="module", autouse=True)
def small_and_in_this_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        patch.setattr(command, "QUICK", TINY)
        patch.setattr(siblings, "KEEP", (0.5, 1.0))
        patch.setattr(with_training, "DAMPINGS", (0.01,))
        patch.setattr(mislabelled, "LEAST", 3)  # there are three topics, of ten texts in two forms each
        patch.setattr(pbrf, "STEPS", 15)
        patch.setattr(
            command, "FULL", replace(TINY, name="tiny-full", halves=5, seeds=2, upweighted=4, full=True, **FEW)
        )
        yield


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Path:
    stating = [{**each, "supports": [document_id(text)]} for each, text in zip(PROMPTS, TEXTS, strict=False)]
    config = write_project(tmp_path_factory.mktemp("project"), prompts=stating)
    topics = ("north", "south", "west")
    write_lines(config.parent / "corpus.jsonl", [{"text": t, "topic": topics[i % 3]} for i, t in enumerate(TEXTS)])
    text = config.read_text().replace("epochs = 12", "epochs = 25")  # until it writes what it has read
    text = text.replace("[corpus]", '[corpus]\ntext_engine = "tantivy"')
    config.write_text(text[: (second := text.index("[[model]]", 60))] + text[text.index("[prompts]", second) :])
    assert main(["train", str(config)]) == 0
    assert main(["build", str(config)]) == 0
    assert main(["evaluate", str(config)]) == 0
    return config


@pytest.fixture
def project(evaluated, tmp_path) -> Path:
    shutil.copytree(evaluated.parent, tmp_path / "project")
    return tmp_path / "project" / evaluated.name


def rows(config: Path) -> dict[tuple[str, str], tuple[float, dict]]:
    folder = config.parent / "build"
    current = read_current(folder)
    assert current is not None
    with duckdb.connect(str(folder / current.database), read_only=True) as db:
        found = db.execute("SELECT method, metric, value, detail FROM evaluation WHERE detail LIKE '{%'").fetchall()
    return {(method, metric): (value, json.loads(detail)) for method, metric, value, detail in found}


def computed(config: Path) -> dict[str, int]:
    return {each.stage: each.folder.stat().st_mtime_ns for each in finished(config.parent / "build")}


def test_every_measure_is_published(evaluated):
    found = rows(evaluated)
    metrics = {metric for _, metric in found}
    assert {"lds", "lds_without_self", "mrr", "recall@1", "recall@10", "tail_patch", "planted@3"} <= metrics
    assert {"index@50", "index@200", "index, all sources", "index, rank correlation"} <= metrics
    assert {"flips@2", "drop@2", "stability, bfloat16", "best for influence", "pbrf"} <= metrics
    assert {"without_topic_own", "without_topic_others", "without_topic_change_own"} <= metrics
    assert {"mislabelled@1", "mislabelled@10", "mislabelled_auc", "relabelled_right"} <= metrics
    for order in ("self-influence", "TracIn self-influence", "loss", "random", "largest loss of a token"):
        assert (order, "mislabelled_auc") in found
    assert sum(name == "mislabelled_auc" and of.startswith("harm: ") for of, name in found) == 2
    assert {"slope", "slope_removal@2"} <= metrics
    assert {name for name in metrics if metric(name) is None} == set()
    for method in ("ekfac", "gradient_dot", "gradient_cosine", "hidden_cosine", "bm25", "random", "ekfac / relatif_l"):
        assert {(method, "lds"), (method, "mrr")} <= set(found)
    assert {("ekfac_checkpoints", "lds"), ("tracin", "lds"), ("another seed", "lds")} <= set(found)
    assert {("ekfac / relatif_theta", "lds"), ("ekfac_checkpoints / relatif_theta", "lds")} <= set(found)
    few = {"lds", "lds_without_self", "lds_behind", "best for influence", "slope", "slope_held_out", "slope_removal@2"}
    for (_, name), (value, detail) in found.items():
        assert detail["n"] >= 1
        assert detail["how"]
        if name in few:  # of a few models and queries here: no interval
            assert (detail["low"], detail["high"]) == (None, None)
        else:
            assert detail["low"] - 1e-9 <= value <= detail["high"] + 1e-9
    assert check(evaluated.parent / "build") == []


def test_the_slopes_are_a_table_of_their_own(evaluated):
    found, folder = rows(evaluated), evaluated.parent / "build"
    with duckdb.connect(str(folder / read_current(folder).database), read_only=True) as db:
        stored = db.execute("SELECT method, damping, slope, low, high, model_id FROM calibration").fetchall()
        [(damping, model_id)] = db.execute("SELECT DISTINCT damping, model_id FROM run").fetchall()
    assert {("ekfac", damping), ("ekfac", 0.01), ("ekfac_checkpoints", damping)} <= {each[:2] for each in stored}
    for method, at, slope, low, high, of in stored:
        value, detail = found[method if at == damping else f"{method}, λ {at:g}", "slope"]
        assert (slope, low, high, of) == (value, detail["low"], detail["high"], model_id)


def test_checkpoints_that_the_configuration_leaves_out_are_measured(evaluated):
    """The project lists none; its model's training has kept the weights of one epoch besides the last."""
    assert "checkpoints" not in evaluated.read_text()
    assert {("ekfac_checkpoints", "mrr"), ("ekfac_checkpoints / relatif_l", "mrr")} <= set(rows(evaluated))


def test_the_rest_of_the_database_is_still_there(evaluated):
    folder = evaluated.parent / "build"
    current = read_current(folder)
    assert current is not None
    with duckdb.connect(str(folder / current.database), read_only=True) as db:
        assert db.execute("SELECT count(*) > 100 FROM influence").fetchone() == (True,)
        assert db.execute("SELECT count(*) FROM document").fetchone() == (len(TEXTS),)


def test_a_second_evaluation_and_a_second_build_do_nothing(evaluated):
    before, published = computed(evaluated), rows(evaluated)
    assert main(["evaluate", str(evaluated)]) == 0
    assert main(["build", str(evaluated)]) == 0
    assert computed(evaluated) == before
    assert rows(evaluated) == published


@pytest.mark.slow
def test_an_interrupted_evaluation_goes_on_and_ends_alike(project, monkeypatch, capsys):
    expected = rows(project)
    shutil.rmtree(project.parent / "build")
    assert main(["build", str(project)]) == 0
    assert rows(project) == {}
    train, seen = retrain._train, []

    def stopped(training, folder, tick):
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        train(training, folder, tick)

    monkeypatch.setattr(retrain, "_train", stopped)
    assert main(["evaluate", str(project)]) == 75
    halves = [name for name in computed(project) if "half" in name]
    assert len(halves) == 2
    before = computed(project)
    monkeypatch.setattr(retrain, "_train", train)
    assert main(["evaluate", str(project)]) == 0
    after = computed(project)
    assert {name: after[name] for name in halves} == {name: before[name] for name in halves}
    assert rows(project) == expected


@pytest.mark.slow
def test_other_settings_are_never_mixed(project):
    """More halves keep the models that there are; another recipe keeps none of them."""
    before = computed(project)
    assert main(["evaluate", str(project), "--full"]) == 0
    after = computed(project)
    halves = [name for name in before if "half" in name]
    assert {name: after[name] for name in halves} == {name: before[name] for name in halves}
    assert sum(".seed-0" in name and "-24.half" in name for name in after) == 5  # 4 more of the small sibling
    in_full = rows(project)
    assert in_full["ekfac", "lds"][1]["how"].startswith("5 models")
    assert "mean of 2 seeds" in in_full["ekfac", "lds"][1]["how"]
    assert "× 4 documents" in in_full["ekfac", "pbrf"][1]["how"]
    assert {("ekfac, embedding turned", "lds"), ("ekfac_checkpoints, embedding turned", "lds")} <= set(in_full)
    assert {("ekfac", "lds_part@25"), ("bm25", "lds_part_without_self@25"), ("ceiling", "lds")} <= set(in_full)
    assert {("unrolled, every step", "small_lds"), ("ceiling", "small_lds_without_self")} <= set(in_full)
    assert {("unrolled, every step", "single_doubled"), ("ekfac", "single_left_out")} <= set(in_full)
    assert {name for _, name in in_full if metric(name) is None} == set()
    assert main(["evaluate", str(project)]) == 0
    assert rows(project) == in_full  # a quick one does not replace it
    text = project.read_text().replace("peak_rate = 2e-2", "peak_rate = 1e-2")
    project.write_text(text)
    assert main(["evaluate", str(project)]) == 0
    redone = computed(project)
    assert all(redone[name] != after[name] for name in halves)
    assert rows(project)["ekfac", "lds"][1]["how"].startswith("4 models")  # of this recipe: the full one is not


def test_figures_are_those_of_the_present_settings(project):
    """Another weight in one estimator: nothing is trained anew, every figure of the estimators is taken again."""
    before = computed(project)
    project.write_text(project.read_text().replace("token_losses = 2", "token_losses = 2\nlinear_weight = 0.5"))
    assert main(["evaluate", str(project)]) == 0
    after = computed(project)
    assert all(after[name] == before[name] for name in before if "half" in name or name.startswith("sibling"))
    for what in ("facts", "lds", "planted", "removal"):
        assert after[f"evaluation-{what}-tiny-m"] != before[f"evaluation-{what}-tiny-m"]


def test_a_model_without_a_recipe_says_what_it_lacks_and_the_rest_runs(project, capsys):
    text = project.read_text()
    project.write_text(text[: text.index("[model.recipe]")] + text[text.index("[prompts]") :])
    shutil.rmtree(project.parent / "build")
    capsys.readouterr()
    assert main(["evaluate", str(project)]) == 0
    said = capsys.readouterr().err
    what = "LDS, removal, single documents, planted and mislabelled facts, chosen documents, PBRF"
    assert f"tiny-m: not trained again ({what}): it has no [model.recipe]" in said
    assert "no database is published yet" in said
    assert "mrr" in said
    assert main(["build", str(project)]) == 0
    metrics = {metric for _, metric in rows(project)}
    assert "mrr" in metrics
    assert "lds" not in metrics


def test_without_known_documents_there_is_no_fact_tracing_and_the_rest_runs(project, capsys):
    write_lines(project.parent / "prompts.jsonl", PROMPTS)
    capsys.readouterr()
    assert main(["evaluate", str(project)]) == 0
    assert "no prompt with an answer and the documents that state it" in capsys.readouterr().err
