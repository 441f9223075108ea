"""Rows of heads and neurons are what the pure functions give, are made once, and are added to a build from before."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from attribution.components.activity import Activity, over_corpus
from attribution.components.measured import agreement, measure_components
from attribution.components.reading import read
from attribution.components.total import total
from indexer.__main__ import main
from indexer.ask.opened import Opened, open_size
from indexer.config.config import read_config
from indexer.corpus.prompt_file import read_prompts
from indexer.database.arrow import arrow_schema
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.database.tables.components import TABLES
from indexer.inside.activity import watched
from indexer.inside.answered import Inside, far_apart, inside
from indexer.journal.stages import drop, finished
from indexer.size import factors
from indexer.size.answers import Answer, answer
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import write_project

OFF = "\n[inside]\nenabled = false\n"


@pytest.fixture(scope="module", autouse=True)
def no_process_for_factors():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        yield


@pytest.fixture(scope="module")
def without(tmp_path_factory) -> Path:
    """The configuration of a family that is built as it was before there were components."""
    path = write_project(tmp_path_factory.mktemp("before"))
    path.write_text(path.read_text() + OFF)
    assert main(["train", str(path)]) == 0
    assert main(["build", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def built(without, tmp_path_factory) -> Path:
    """The same family, built with them from the beginning."""
    folder = tmp_path_factory.mktemp("built") / "project"
    shutil.copytree(without.parent, folder, ignore=lambda _folder, names: {"build"} & set(names))
    path = folder / without.name
    path.write_text(path.read_text().replace(OFF, ""))
    assert main(["build", str(path)]) == 0
    return path


@pytest.fixture
def before(without, tmp_path) -> Path:
    """A copy to change, which is switched on."""
    shutil.copytree(without.parent, tmp_path / "project")
    path = tmp_path / "project" / without.name
    path.write_text(path.read_text().replace(OFF, ""))
    return path


@pytest.fixture
def project(built, tmp_path) -> Path:
    """A copy to change."""
    shutil.copytree(built.parent, tmp_path / "project")
    return tmp_path / "project" / built.name


def rows(config: Path, sql: str, *values: object) -> list[tuple]:
    current = read_current(config.parent / "build")
    assert current is not None
    with duckdb.connect(str(config.parent / "build" / current.database), read_only=True) as db:
        return db.execute(sql, values).fetchall()


def everything(config: Path) -> dict[str, list[tuple]]:
    return {table: rows(config, f"FROM {table} ORDER BY ALL") for table in sorted(TABLES)}


def parts(config: Path) -> dict[str, int]:
    """Every finished part -> when its folder was made."""
    return {str(path): path.stat().st_mtime_ns for path in (config.parent / "build/parts").glob("*/*")}


def stages(config: Path, since: dict[str, int]) -> set[str]:
    """Stages with a part that is new or was made anew."""
    return {Path(path).parent.name for path, made in parts(config).items() if since.get(path) != made}


@pytest.fixture(scope="module")
def opened(built) -> Opened:
    return open_size(read_config(built), "tiny-m")


@pytest.fixture(scope="module")
def answered(opened) -> Answer:
    [first, *_] = read_prompts(opened.member.config.prompts.file)
    return answer(opened.member.loaded, first, opened.member.config.prompts.max_new_tokens)


@pytest.fixture(scope="module")
def found(opened, answered) -> Inside:
    return inside(opened.within, answered)


def test_effects_are_those_of_the_pure_functions(built, opened, answered, found):
    """Stored to float32, of every token, heads in their order and neurons by their number."""
    stored = rows(
        built,
        """SELECT direct_heads, total_heads, direct_mlp, total_mlp, neurons, direct_neurons, total_neurons, logit,
                  against
           FROM component_effect WHERE generation_id = ? ORDER BY position""",
        answered.generation_id,
    )
    of, n = opened.within.split, found.total.neurons.shape[2]
    run = read(of.member.tracked, of.units, of.stream, answered.ids, answered.first, graph=True)
    again = total(of.member.tracked, of.units, run, opened.within.baseline)
    assert len(stored) == answered.n_targets
    for k, (direct_heads, heads, direct_mlp, mlp, neurons, direct, some, logit, against) in enumerate(stored):
        np.testing.assert_allclose(heads, again.heads[k].reshape(-1), rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(mlp, again.neurons[k].sum(axis=-1), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(direct_heads, found.direct.heads[k].reshape(-1), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(some, [again.neurons[k, i // n, i % n] for i in neurons], rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(direct, found.direct.neurons[k].reshape(-1)[neurons], rtol=1e-4, atol=1e-6)
        kept = np.abs(again.neurons[k]).reshape(-1)[neurons]
        assert (np.diff(kept) <= 1e-7).all()
        assert kept.sum() >= 0.9 * np.abs(again.neurons[k]).sum() * (1 - 1e-4) or len(neurons) == 20
        assert logit == pytest.approx(found.direct.logit[k], abs=1e-4)
        assert against == ""
        assert sum(direct_mlp) == pytest.approx(float(found.direct.neurons[k].sum()), abs=1e-4)


def test_what_was_replaced_is_stored_with_its_rank_correlation(built, opened, answered, found):
    stored = rows(
        built,
        """SELECT position, kind, depth, number, chosen, predicted, measured FROM component_measured
           WHERE generation_id = ? ORDER BY ALL""",
        answered.generation_id,
    )
    of = opened.within.split
    again = measure_components(
        of.member.tracked,
        of.units,
        answered.ids,
        answered.first,
        found.total,
        opened.within.baseline,
        positions=range(4),
        every_head=64,
    )
    wanted = sorted((e.position, *e.component, e.chosen, e.predicted, e.measured) for e in again.effects)
    assert [row[:5] for row in stored] == [row[:5] for row in wanted]
    np.testing.assert_allclose([row[5:] for row in stored], [row[5:] for row in wanted], rtol=1e-4, atol=1e-6)
    measures = dict(
        rows(
            built,
            "SELECT metric, value FROM faithfulness WHERE method = 'component' AND generation_id = ?",
            answered.generation_id,
        )
    )
    assert measures["rank_correlation_heads"] == pytest.approx(agreement(again.effects, "head"))
    assert measures["top_five_heads"] == pytest.approx(np.mean([e.strongest for e in again.together]), abs=1e-6)


def test_the_lens_ends_in_what_was_written(built):
    """After the last block the lens is the model: its log p is that of the token."""
    found = rows(
        built,
        """SELECT lens.logp, token.logp, lens.rank, lens.top_text FROM lens JOIN generation USING (generation_id)
           JOIN model USING (model_id) JOIN generation_token AS token USING (generation_id, position)
           WHERE depth = n_layers - 1""",
    )
    assert found
    for lens, logp, rank, _ in found:
        assert lens == pytest.approx(logp, abs=1e-4)
        assert rank == 1  # answers are greedy


def test_attention_is_over_all_that_was_read_before_the_token(built, answered):
    found = rows(
        built,
        "SELECT position, weights FROM component_attention WHERE generation_id = ?",
        answered.generation_id,
    )
    assert len(found) == answered.n_targets * 2 * 2  # heads and blocks
    for position, weights in found:
        assert len(weights) == answered.first + position
        assert sum(weights) == pytest.approx(1, abs=2e-3 * len(weights))
        assert all(weight == pytest.approx(round(weight, 3), abs=1e-6) for weight in weights)


def test_what_passes_through_components_adds_up_to_the_layers(built):
    """Of every document that has position shares: the invariants hold, and none is missing."""
    assert check(built.parent / "build") == []
    kept = "SELECT run_id, generation_id, position, document_id FROM"
    ours = f"{kept} influence_position JOIN run USING (run_id) WHERE method = 'ekfac'"
    assert rows(built, f"{kept} component_taught ORDER BY ALL") == rows(built, f"{ours} ORDER BY ALL") != []


def test_a_context_is_the_document_where_a_neuron_is_most_active(built, opened):
    """Of all documents, one pass, by hand."""
    member, units = opened.member, opened.within.split.whole
    corpus = watched(member, units)
    made: Activity = over_corpus(member.tracked, corpus, member.own_rows, 0)
    stored = rows(
        built,
        """SELECT document_id, token_position, value FROM component_context JOIN model USING (model_id)
           WHERE name = 'tiny-m' AND kind = 'neuron' AND depth = 1 AND number = 3 ORDER BY rank""",
    )
    of = made.neurons[1]
    assert [row[0] for row in stored] == [member.document_ids[i] for i in of.documents[3].tolist()]
    assert [row[1] for row in stored] == of.positions[3].tolist()
    np.testing.assert_allclose([row[2] for row in stored], of.values[3].numpy(), rtol=1e-4)
    [(counted, mean)] = rows(
        built,
        """SELECT list_sum(counts), mean FROM neuron_activation JOIN model USING (model_id)
           WHERE name = 'tiny-m' AND depth = 1 AND number = 3""",
    )
    assert counted == made.sums.n == sum(len(row) for row in member.own_rows)
    assert mean == pytest.approx(float(made.sums.neurons[1, 3]) / made.sums.n, rel=1e-4)


def test_a_second_build_computes_nothing(project):
    before = parts(project)
    assert main(["build", str(project)]) == 0
    assert parts(project) == before


def test_a_build_from_before_gets_the_rows_and_nothing_else_is_done_again(before, built):
    """Its influence stage has left nothing for the components: directions are made again, for the kept pairs alone."""
    had, others = parts(before), rows(before, "SELECT * EXCLUDE seconds FROM run ORDER BY ALL")
    assert all(found == [] for found in everything(before).values())
    assert main(["build", str(before)]) == 0
    assert {name.rpartition("-")[0].partition("-")[0] for name in stages(before, had)} == {
        *("activity", "components", "inside", "taught"),
    }
    assert rows(before, "SELECT * EXCLUDE seconds FROM run ORDER BY ALL") == others
    assert check(before.parent / "build") == []
    _same(everything(before), everything(built))


def _same(one: dict[str, list[tuple]], other: dict[str, list[tuple]]) -> None:
    """Numbers to float32; of neurons that are kept, those of equal size may change places."""
    for table, found in one.items():
        assert len(found) == len(other[table]) > 0, table
        names = arrow_schema(table).names
        for a, b in zip(found, other[table], strict=True):
            mine, others = (_by_number(dict(zip(names, row, strict=True))) for row in (a, b))
            for name, x in mine.items():
                y, numbers = others[name], x if isinstance(x, list) else [x]
                if any(isinstance(each, float) for each in numbers):
                    assert x == pytest.approx(y, rel=1e-3, abs=1e-5), (table, name)
                else:
                    assert x == y, (table, name)


def _by_number(row: dict) -> dict:
    """What a row says of its neurons, in the order of their numbers."""
    order = np.argsort(row.get("neurons", []))
    of_neurons = row.keys() & {"neurons", "neuron_scores", "direct_neurons", "total_neurons"}
    return row | {name: [row[name][i] for i in order] for name in of_neurons}


def test_components_that_are_split_again_have_the_same_scores(before, built):
    assert main(["build", str(before)]) == 0
    sql = """SELECT head_scores, kv_head_scores, bias_score FROM component_taught
             ORDER BY run_id, generation_id, position, document_id"""
    for one, other in zip(rows(before, sql), rows(built, sql), strict=True):
        for x, y in zip(one, other, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-7)


def test_an_interrupted_build_goes_on_with_the_same_rows(project, built):
    """Parts of the middle are gone: they alone are made again."""
    lost = [part for part in finished(project.parent / "build") if part.stage in ("inside-tiny-m", "taught-tiny-s")]
    assert lost
    drop(project.parent / "build", lost)
    had = parts(project)
    assert main(["build", str(project)]) == 0
    assert stages(project, had) == {"inside-tiny-m", "taught-tiny-s"}
    assert everything(project) == everything(built)


@pytest.mark.parametrize(
    ("setting", "anew"),
    [
        ("measured = 1", {"inside"}),
        ("attention = 0", {"inside"}),
        ("neurons = 3", {"inside", "taught"}),
        ("contexts = 2", {"activity", "components"}),
        ('baseline = "zero"', {"components", "inside"}),
    ],
)
def test_a_changed_setting_recomputes_what_depends_on_it(project, setting, anew):
    had = parts(project)
    project.write_text(project.read_text() + f"\n[inside]\n{setting}\n")
    assert main(["build", str(project)]) == 0
    assert {name.partition("-")[0] for name in stages(project, had)} == anew
    assert check(project.parent / "build") == []


def test_switched_off_there_are_no_rows(without):
    assert all(found == [] for found in everything(without).values())
    assert not any(
        part.stage.startswith(("inside", "taught", "activity")) for part in finished(without.parent / "build")
    )


def test_another_size_that_was_built_before_stays_as_it_is(before):
    """Only one size is asked for: the other keeps its influence, and has no components yet."""
    assert main(["build", str(before), "--model", "tiny-s"]) == 0
    assert {name for (name,) in rows(before, "SELECT name FROM model")} == {"tiny-s", "tiny-m"}
    split = "SELECT name FROM component_model JOIN model USING (model_id)"
    assert rows(before, split) == [("tiny-s",)]


def test_positions_that_are_measured_are_far_apart():
    assert far_apart(3, 4) == [0, 1, 2]
    assert far_apart(10, 4) == [0, 3, 6, 9]
    assert far_apart(10, 1) == [0]
    assert all(len(far_apart(n, most)) == most for n in range(5, 30) for most in range(1, 5))
