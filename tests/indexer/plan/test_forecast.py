"""The forecast follows sizes and settings. Whether it comes true is measured beside a build, not in a test."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from attribution.schedule import Schedule
from indexer.__main__ import main
from indexer.config.config import Config, Corpus, Model, Output, Prompts, read_config
from indexer.config.inside import Inside
from indexer.config.verbatim import Verbatim
from indexer.corpus.reader import read_corpus
from indexer.plan import command
from indexer.plan.exact import EACH, NEW, OF_SPANS, documents_read
from indexer.plan.forecast import INSIDE, VERBATIM, WRITE, Stage, asking, forecast, wall_seconds
from indexer.plan.inside import rows
from indexer.plan.outlined import Outlined, outlined, work_of
from indexer.plan.shapes import Parts, Shape, Shapes
from indexer.plan.speeds import Speeds
from indexer.plan.work import Work
from indexer.size.member import open_member
from tests.tiny_family import write_project

SPEEDS = Speeds(1, 1, 1, 1, 1, 1, written=1, shared=1, opened=1)
OF = Shapes((Shape(2, 4, 1, 1),), (), n_params=10, vocabulary=5, width=4)
WORK = Work(OF, n_documents=1000, n_tokens=6, longest=9, widest=9, n_prompts=5, n_read=3, n_written=4)
CONFIG = Config(
    corpus=Corpus(()),
    model=(Model("m", "f", "m"),),
    prompts=Prompts(Path("p.jsonl")),
    output=Output(Path("build")),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    path = write_project(tmp_path_factory.mktemp("project"))
    assert main(["train", str(path)]) == 0
    return path


def copied(trained: Path, folder: Path) -> Path:
    """The project with its trained models, in a folder of a test."""
    return shutil.copytree(trained.parent, folder, dirs_exist_ok=True) / trained.name


def stages(work: Work = WORK, speeds: Speeds = SPEEDS, config: Config = CONFIG) -> dict[str, Stage]:
    return {each.name: each for each in forecast(work, speeds, config, Schedule())}


def test_the_corpus_pass_grows_with_the_corpus_and_nothing_of_it_with_the_prompts():
    more = stages(replace(WORK, n_documents=2000))["corpus pass"]
    assert more.seconds == pytest.approx(2 * stages()["corpus pass"].seconds)
    assert more.disk == 2 * stages()["corpus pass"].disk
    assert stages(replace(WORK, n_prompts=50))["corpus pass"] == stages()["corpus pass"]


def test_a_build_without_influence_answers_and_explains_the_prompts_only():
    without = replace(CONFIG, scores=replace(CONFIG.scores, method=()), inside=Inside(enabled=False))
    assert stages(config=without) == {name: stages()[name] for name in ("answers", "prompts")}
    assert asking(WORK, SPEEDS, without, Schedule()) == []


def test_heads_and_neurons_cost_time_and_rows_as_many_as_are_wanted():
    within = replace(WORK, shapes=replace(OF, parts=Parts(n_blocks=2, n_heads=3, n_kv_heads=1, n_neurons=7)))
    found = stages(within)[INSIDE]
    assert found.rows == sum(rows(within, CONFIG).values())
    assert rows(within, CONFIG)["component_attention"] == 20 * 6
    assert rows(within, CONFIG)["component_context"] == 2 * (3 + 7) * 8
    more = stages(replace(within, n_prompts=50))[INSIDE]
    assert more.rows > found.rows
    assert more.seconds > 5 * (found.seconds - WRITE)
    for changed in (Inside(measured=0), Inside(attention=0), Inside(contexts=0)):
        less = stages(within, config=replace(CONFIG, inside=changed))[INSIDE]
        assert less.rows < found.rows
        assert less.disk < found.disk
        assert less.seconds <= found.seconds
    off = replace(CONFIG, inside=Inside(enabled=False))
    assert INSIDE not in stages(within, config=off)
    assert stages(within, config=off)["corpus pass"].seconds < stages(within)["corpus pass"].seconds
    assert asking(within, SPEEDS, off, Schedule())[1].seconds < asking(within, SPEEDS, CONFIG, Schedule())[1].seconds


def test_suffix_arrays_cost_six_bytes_a_token_and_the_memory_of_one():
    found = stages(replace(WORK, n_documents=1_000_000))[VERBATIM]
    more = stages(replace(WORK, n_documents=10_000_000))[VERBATIM]
    assert found.disk == pytest.approx(6 * 6e6, rel=1e-3)
    assert more.disk == pytest.approx(60 * 6e6, rel=1e-3)
    assert more.memory < 5 * found.memory  # no array is larger
    wide = stages(replace(WORK, n_documents=1_000_000, shapes=replace(OF, vocabulary=100_000)))[VERBATIM]
    assert wide.disk == pytest.approx(8 * 6e6, rel=1e-3)
    assert stages(replace(WORK, n_documents=1_000_000, n_prompts=500))[VERBATIM].seconds > found.seconds
    assert VERBATIM not in stages(config=replace(CONFIG, verbatim=Verbatim(enabled=False)))


def test_prompts_cost_answers_and_influence():
    large = replace(WORK, n_documents=100_000)
    less, more = stages(large), stages(replace(large, n_prompts=10))
    assert more["answers"].seconds - WRITE == pytest.approx(2 * (less["answers"].seconds - WRITE))
    assert more["influence"].seconds > 1.7 * less["influence"].seconds


def test_checkpoints_cost_a_fit_and_the_scores_of_the_candidates_each():
    found = stages(replace(WORK, n_checkpoints=3, others=("ekfac_checkpoints", "bm25")))
    once = stages(replace(WORK, others=("gradient_dot",)))
    exact = once["gradient_dot"].seconds - found["bm25"].seconds
    assert found["ekfac_checkpoints"].seconds == pytest.approx(
        found["bm25"].seconds + 4 * exact + 3 * found["factors"].seconds
    )
    assert exact < found["influence"].seconds


def test_what_learning_did_to_answers_costs_a_pass_for_each_of_their_first_documents():
    def seconds(n: int, prompts: int) -> float:
        config = replace(CONFIG, scores=replace(CONFIG.scores, token_losses=n, position_shares=3))
        return stages(replace(WORK, n_prompts=prompts, others=("tracin",)), config=config)["tracin"].seconds

    one = seconds(1, 10) - seconds(0, 10)
    assert one > 0
    assert seconds(2, 10) - seconds(0, 10) == pytest.approx(2 * one)
    assert seconds(9, 10) == seconds(3, 10)  # no more than have position shares
    assert seconds(1, 20) - seconds(0, 20) == pytest.approx(2 * one)


def test_conjugate_gradients_cost_their_steps_for_every_token_and_no_more_documents_than_there_are():
    def seconds(**settings: int) -> float:
        config = replace(CONFIG, scores=replace(CONFIG.scores, **settings))
        return stages(replace(WORK, others=("ekfac_cg",)), config=config)["ekfac_cg"].seconds

    without = replace(CONFIG, scores=replace(CONFIG.scores, token_losses=0))  # which it has of no answer
    none = stages(replace(WORK, others=("gradient_dot",)), config=without)["gradient_dot"].seconds
    one = seconds(cg_steps=1, cg_documents=10) - none
    assert one > 0
    assert seconds(cg_steps=4, cg_documents=20) - none == pytest.approx(8 * one)
    everything = seconds(cg_steps=1, cg_documents=WORK.n_documents)
    assert seconds(cg_steps=1, cg_documents=2 * WORK.n_documents) == everything


def test_a_second_stage_of_training_is_scored_as_well():
    one, two = stages(), stages(replace(WORK, n_stages=2))
    assert 1.5 < two["influence"].seconds / one["influence"].seconds < 2
    assert two["corpus pass"].seconds == one["corpus pass"].seconds


def test_no_more_documents_are_read_than_there_are():
    assert documents_read(WORK, CONFIG, 1e9, 9) == WORK.n_documents
    assert documents_read(replace(WORK, n_documents=10**9), CONFIG, 1, 1) == 100 + 100 + 40 * NEW * (EACH + OF_SPANS)


def test_a_question_is_first_estimated_then_scored_and_grows_with_the_index():
    first, whole = asking(WORK, SPEEDS, CONFIG, Schedule())
    assert first.seconds < whole.seconds
    twice = asking(replace(WORK, n_documents=2000), SPEEDS, CONFIG, Schedule())[0]
    scanned = 4 * 1000 * OF.index_bytes(CONFIG.index.rank)  # for each of four tokens
    assert twice.seconds - first.seconds == pytest.approx(scanned)
    assert asking(replace(WORK, n_prompts=99), SPEEDS, CONFIG, Schedule()) == [first, whole]


def test_processes_share_everything_but_one_size_s_factors():
    one = [Stage("factors", 10, {}, 0), Stage("answers", 30, {}, 0)]
    assert wall_seconds([one], 1) == 40
    assert wall_seconds([one, one], 2) == 40
    assert wall_seconds([[Stage("factors", 100, {}, 0)], one], 4) == 100
    assert wall_seconds([[Stage("pairs", 1, {}, 0), Stage("factors", 100, {}, 0)], one], 4) == 100
    assert wall_seconds([[Stage("answers", 40, {}, 0)]], 4) == 10


def test_a_plan_is_printed_for_every_size_and_nothing_is_written(trained, tmp_path, capsys):
    path = copied(trained, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["plan", str(path)]) == 0
    printed = capsys.readouterr().out
    estimated, measured = printed.split("in all, estimated: about")
    for part in (estimated, measured):
        assert part.index("tiny-s") < part.index("tiny-m")
        assert part.count("corpus pass") == 2
        assert part.count("ask, first estimates") == 2
    assert "in all: about" in measured
    assert sorted(tmp_path.rglob("*")) == before


def test_a_plan_refuses_what_a_build_refuses(tmp_path, capsys):
    path = write_project(tmp_path)
    assert main(["plan", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


class Measuring(Exception):
    """A measurement has begun."""


def test_input_43_the_first_answer_is_printed_before_anything_is_measured(trained, tmp_path, capsys, monkeypatch):
    path = copied(trained, tmp_path)

    def slow(*_of):
        raise Measuring

    monkeypatch.setattr(command, "open_member", slow)
    with pytest.raises(Measuring):
        main(["plan", str(path)])
    printed = capsys.readouterr().out
    assert printed.count("estimated from sizes alone") == 2
    assert printed.count("factors ") == printed.count("influence ") == 2
    assert "in all, estimated: about" in printed
    assert "memory at the highest" in printed


def test_a_stage_is_printed_once_what_it_stands_on_is_measured(trained, tmp_path, capsys, monkeypatch):
    path = copied(trained, tmp_path)

    def first_only(*_of):
        yield {"passed": 1e9}
        yield {"turned": {}, "touched": 1e9, "products": 1e9, "decomposed": 1e9}
        raise Measuring

    monkeypatch.setattr(command, "measure", first_only)
    with pytest.raises(Measuring):
        main(["plan", str(path)])
    measured = capsys.readouterr().out.partition("tiny-s, measured")[2]
    assert [line.split()[0] for line in measured.splitlines()[2:]] == ["factors"]


def test_a_model_that_cannot_be_explained_is_refused_in_one_line(trained, tmp_path, capsys):
    path = copied(trained, tmp_path)
    for size in ("tiny-s", "tiny-m"):
        settings = tmp_path / "models" / size / "config.json"
        settings.write_text(settings.read_text().replace('"llama"', '"t5"'))
    assert main(["plan", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("whence: expected")


def test_shapes_without_weights_are_those_of_the_open_model(trained, tmp_path):
    path = copied(trained, tmp_path)
    config = read_config(path)
    for entry in config.model:
        found, member = outlined(entry, config, read_corpus), open_member(entry, config)
        assert found is not None
        assert [(of.name, of.n_out, of.n_in) for of in found.tracked.layers] == [
            (of.name, of.n_out, of.n_in) for of in member.tracked.layers
        ]
        opened = Outlined(entry, None, member.tracked, member.corpus)
        work = work_of(found, config, ["one", "two", "three"])
        assert work == work_of(opened, config, ["one", "two", "three"])
        assert (work.n_documents, work.shapes.n_params) == (member.n_documents, member.loaded.n_params)
        assert (work.n_stages, work.learned_pairs) == (member.n_stages, member.learned_pairs)
