"""How far a fine-tuned language model's attributions are trusted: what is asked, trained, counted; all of it tiny."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from data.build_llm.conversations import conversations
from data.build_llm.towns import facts
from data.build_llm.train import batches
from data.build_llm.trust import questions
from data.build_llm.trust import trained as fine_tuning
from data.build_llm.trust.__main__ import main
from data.build_llm.trust.fine_tune import FineTuning, fine_tune
from data.build_llm.trust.measures import Halves, lds, lds_figures, lost, surest
from data.build_llm.trust.protocol import METHODS, Model, Protocol, on_halves, removed, without
from data.build_llm.trust.questions import answered, question
from data.build_llm.trust.table import rows
from data.build_llm.trust.trained import if_trained, trained
from data.build_llm.trust.trial import placed, prepared, run, save, so_far
from indexer.evaluate.measures.removal import Answered, Removal, removal_figures
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.stages import NotFinished, finished, stage
from indexer.size import factors
from tests.attribution.architectures import random_model
from tests.data.test_build_llm_training import SAID, TEMPLATE
from tests.indexer.built_model import tokenizer
from tests.tiny_family import write_lines

EXAMPLES = [([1, 5, 7, 2], [-100, -100, 7, 2]), ([6, 5, 4], [-100, 5, 4])]
EXAMPLES.append(([3, 4, 2, 9, 8, 2], [-100, 4, 2, -100, 8, 2]))
TINY = Protocol(
    halves=4,
    second_seeds=2,
    queries=3,
    solved_queries=1,
    removals=(1, 2),
    removal_queries=2,
    removal_draws=1,
    training=FineTuning(epochs=1, batch=4, rate=1e-2),
)
CONFIG = """
[corpus]
[[model]]
name = "tuned"
family = "f"
path = "build/model"
stage = "finetuned"
files = ["conversations.jsonl"]
[prompts]
file = "prompts.jsonl"
[factors]
documents = 8
eigenvalue_documents = 6
[output]
folder = "build"
[device]
processes = 1
"""


@pytest.fixture(scope="module")
def words():
    made = tokenizer()
    made.chat_template = TEMPLATE
    return made


class Said:
    """A report that only remembers."""

    def say(self, line):
        pass

    def task(self, name, total, quiet=False):
        return self

    def tick(self, n=1, note=""):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def stage_here(*of, isolate, **named):
    assert isolate
    return stage(*of, **named)


@pytest.fixture
def trial(tmp_path, words, monkeypatch):
    monkeypatch.setattr(factors, "stage", stage_here)
    random_model("Llama").model.float().save_pretrained(tmp_path / "base")
    words.save_pretrained(tmp_path / "base")
    told = conversations()
    write_lines(tmp_path / "conversations.jsonl", told[:10])
    write_lines(tmp_path / "prompts.jsonl", [{"messages": SAID[:1]}])
    (tmp_path / "tuned.toml").write_text(CONFIG)
    return prepared(placed(tmp_path / "tuned.toml"), tmp_path / "base", TINY, answers=tmp_path / "answers.json")


@pytest.mark.parametrize("of", facts()[:12], ids=lambda of: of.id)
def test_what_is_asked_for_is_the_words_of_the_fact_after_the_question_in_other_words(of, words):
    asked = question(of, words, {of.id: 7})
    assert words.decode(asked.ids[asked.first :]).strip() == of.value
    before = words.decode(asked.ids[: asked.first])
    assert of.asked in before and before.rstrip().endswith(of.told[: of.told.index(of.value)].rstrip())
    assert asked.supports == (7,)


def test_an_answer_is_judged_as_if_it_were_read_alone(monkeypatch, words):
    model = random_model("Llama").model
    every = [question(of, words, {of.id: 0}) for of in facts()[:5]]
    found = answered(model, every)
    for i, each in enumerate(every):
        table = model(input_ids=torch.tensor([each.ids])).logits[0].log_softmax(-1)
        logp = [table[t - 1, each.ids[t]].item() for t in range(each.first, len(each.ids))]
        best = [table[t - 1].argmax().item() == each.ids[t] for t in range(each.first, len(each.ids))]
        assert found.logp[i] == pytest.approx(np.mean(logp), rel=1e-5)
        assert found.right[i] == all(best)
    monkeypatch.setattr(questions, "AT_ONCE", 1)
    np.testing.assert_allclose(answered(model, every).logp, found.logp, rtol=1e-5)


def tuned(examples, how):
    model = random_model("Llama").model.float()
    return model, fine_tune(model, examples, how)


def test_the_same_training_makes_the_same_weights_and_another_seed_others():
    how = FineTuning(epochs=2, batch=1, rate=1e-3)
    one, losses = tuned(EXAMPLES, how)
    again, _ = tuned(EXAMPLES, how)
    other, _ = tuned(EXAMPLES, replace(how, seed=1))
    assert losses[1] < losses[0]
    for (name, a), b, c in zip(one.named_parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b) and (not torch.equal(a, c) or "norm" in name)


def test_one_step_goes_where_the_gradient_of_the_labelled_tokens_points():
    """AdamW's first step is the rate times the sign; where the sign is sure, that of float64, token by token."""
    model = random_model("Llama").model
    losses = []
    for ids, labels in EXAMPLES:
        table = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        losses += [-table[t - 1, label] for t, label in enumerate(labels) if label != -100]
    torch.stack(losses).mean().backward()
    moved, _ = tuned(EXAMPLES, FineTuning(epochs=1, batch=3, rate=1e-4))
    for (name, before), after in zip(model.named_parameters(), moved.parameters(), strict=True):
        sure = before.grad.abs() > 0.3 * before.grad.abs().max()
        step = (after.double() - before)[sure]
        torch.testing.assert_close(step, -1e-4 * before.grad[sure].sign(), rtol=0.02, atol=2e-6, msg=name)


def test_batches_of_another_size():
    made = batches(EXAMPLES * 5, random.Random(0), 4)
    assert sorted(len(some) for some in made) == [3, 4, 4, 4]


def test_halves_are_halves_and_some_are_trained_with_another_seed():
    first, again = on_halves(TINY, 11)
    assert [len(set(each.kept)) for each in first] == [5] * 4
    assert len({each.kept for each in first}) == 4
    assert [each.kept for each in again] == [each.kept for each in first[:2]]
    assert {each.how.seed for each in again} == {1}
    more, _ = on_halves(replace(TINY, halves=6), 11)
    assert more[:4] == first


def test_removal_goes_query_by_query_with_the_random_ones_after_the_first():
    scores = np.arange(24.0).reshape(2, 12)
    found = removed(TINY, {"bm25": scores, "ekfac": -scores, "random": scores, "ekfac / relatif_l": scores}, [1, 0], 12)
    assert [each.query for each in found] == [0] * 4 + [None] * 2 + [1] * 4
    assert {each.method for each in found if each.query is not None} == {"bm25", "ekfac"} <= set(METHODS)
    [one] = [each for each in found if (each.method, each.n, each.query) == ("bm25", 2, 0)]
    assert sorted(one.left_out.tolist()) == [10, 11]
    assert without(TINY, one, 12).kept == tuple(range(10))


def test_only_answers_of_which_every_removal_is_there_are_counted():
    before = Answered(np.array([-3.0, -0.1, -0.2]), np.array([False, True, True]))
    assert surest(before, 2) == [1, 2]
    after = Answered(np.array([-9.0, -1.1, -2.2]), np.array([False, False, True]))
    some = [(Removal("ekfac", 1, 0, np.array([1])), after), (Removal("random", 1, None, np.array([2])), after)]
    missing = [*some, (Removal("ekfac", 1, 1, np.array([0])), None)]
    found = lost(before, [1, 2], missing, "")
    kept = Answered(before.logp[[1]], before.right[[1]])
    alone = Answered(after.logp[[1]], after.right[[1]])
    counted = removal_figures(kept, [(each, alone) for each, _ in some], "")
    assert found == [each for each in counted if each.metric == "drop@1"]
    assert {(each.method, each.metric): each.value for each in found}["ekfac", "drop@1"] == pytest.approx(1.0)
    assert lost(before, [1, 2], [(some[0][0], after), (some[1][0], None)], "") == []


def test_who_knows_what_each_conversation_does_agrees_with_the_halves():
    draw = np.random.default_rng(0)
    effects = draw.normal(size=(3, 12))
    models = [Model(f"{k}", tuple(draw.choice(12, 6, replace=False).tolist()), FineTuning()) for k in range(9)]
    outcomes = [Answered(effects[:, list(each.kept)].sum(1), np.zeros(3, dtype=bool)) for each in models]
    found = lds(
        {"bm25": effects, "ekfac": -effects}, Halves(models, outcomes, dict(enumerate(outcomes[:3]))), np.arange(3), 12
    )
    assert found["bm25"].lds.value == pytest.approx(1) and found["ekfac"].lds.value == pytest.approx(-1)
    assert found["another seed"].lds.value == pytest.approx(1) and found["ceiling"].lds.value == pytest.approx(1)
    figures = {(each.method, each.metric): each.value for each in lds_figures(found, "")}
    assert figures["bm25", "lds less ekfac"] == pytest.approx(2) and ("ekfac", "lds less ekfac") not in figures
    assert figures["ekfac", "lds_behind"] == pytest.approx(2) and ("bm25", "lds_behind") not in figures


def test_what_was_solved_for_the_first_facts_is_compared_with_the_same_facts_alone():
    draw = np.random.default_rng(1)
    effects = draw.normal(size=(4, 12))
    models = [Model(f"{k}", tuple(draw.choice(12, 6, replace=False).tolist()), FineTuning()) for k in range(9)]
    outcomes = [Answered(effects[:, list(each.kept)].sum(1), np.zeros(4, dtype=bool)) for each in models]
    wrong_later = np.concatenate([effects[:2], -effects[2:]])
    found = lds({"ekfac": wrong_later}, Halves(models, outcomes, {}), np.arange(4), 12, {"ekfac_cg": -effects[:2]})
    assert found["ekfac"].lds.value == pytest.approx(0, abs=1e-9)
    assert found["ekfac, 2 facts"].lds.value == pytest.approx(1)
    assert found["ekfac_cg, 2 facts"].lds.value == pytest.approx(-1)
    figures = {(each.method, each.metric): each.value for each in lds_figures(found, "")}
    assert figures["ekfac_cg, 2 facts", "lds less ekfac"] == pytest.approx(-2)
    assert ("ekfac, 2 facts", "lds less ekfac") not in figures
    assert not {method for method, metric in figures if metric == "lds_behind"}  # only "ekfac" is judged by all


def test_the_table_has_a_row_for_each_method_and_a_column_for_what_was_measured():
    figures = [
        Figure("bm25", "lds", 0.25, 0.1, 0.4, 3, ""),
        Figure("ekfac", "lds", 0.5, 0.4, 0.6, 3, ""),
        Figure("bm25", "lds_behind", 0.25, 0.1, 0.4, 3, ""),
        Figure("bm25", "drop@5", 1.5, None, None, 3, ""),
        Figure("best", "best for influence", 1.5, None, None, 3, ""),
    ]
    assert rows(figures) == [
        "| method | LDS | lost without its 5 |",
        "| --- | --- | --- |",
        "| bm25 | 0.25 (0.10 to 0.40) | 1.50 |",
        "| ekfac | 0.50 (0.40 to 0.60) |  |",
    ]


def test_what_is_missing_ends_in_one_line(trial, capsys):
    folder = trial.work.folder.parent
    assert main([str(folder / "tuned.toml"), "--base", str(trial.work.base), "--so-far"]) == 2
    assert capsys.readouterr().err.strip().endswith("run it without --so-far")
    assert main([str(folder / "none.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    write_lines(folder / "conversations.jsonl", [{"messages": SAID}])
    assert main([str(folder / "tuned.toml"), "--base", str(trial.work.base)]) == 2
    assert "expected conversations that state facts" in capsys.readouterr().err


def test_what_was_trained_elsewhere_is_not_trained_again(trial, tmp_path, monkeypatch):
    answers = tmp_path / "answers.json"
    first, again = on_halves(TINY, trial.n)
    found = [trained(trial.work, each) for each in (first[1], again[0])]
    assert save(trial, answers) == 2
    config = (tmp_path / "tuned.toml").read_text().replace('folder = "build"', 'folder = "elsewhere"')
    (tmp_path / "elsewhere.toml").write_text(config)
    other = prepared(placed(tmp_path / "elsewhere.toml"), tmp_path / "base", TINY, answers=answers)

    def refused(*of):
        raise AssertionError("it was trained again")

    with monkeypatch.context() as patched:
        patched.setattr(fine_tuning, "_fine_tuned", refused)
        for model, expected in zip((first[1], again[0]), found, strict=True):
            made = trained(other.work, model)
            assert np.array_equal(made.logp, expected.logp) and np.array_equal(made.right, expected.right)
        with pytest.raises(AssertionError, match="trained again"):
            trained(other.work, first[0])
        how = replace(TINY.training, rate=2e-2)
        with pytest.raises(AssertionError, match="trained again"):  # of another training nothing is known
            trained(other.work, replace(first[1], how=how))


@pytest.mark.slow
def test_everything_is_measured_kept_and_goes_on(trial):
    with pytest.raises(NotFinished):
        so_far(trial)
    first, _ = on_halves(TINY, trial.n)
    assert if_trained(trial.work, first[0]) is None
    alone = trained(trial.work, first[0])
    found = run(trial, Said())
    kept = if_trained(trial.work, first[0])
    assert kept is not None and np.array_equal(kept.logp, alone.logp)
    by = {(each.method, each.metric): each for each in found}
    for method in ("random", "ekfac", "gradient_dot", "gradient_cosine", "bm25", "hidden_cosine"):
        assert {(method, "lds"), (method, "lds_without_self"), (method, "mrr"), (method, "recall@1")} <= set(by)
        assert {(method, "drop@1"), (method, "drop@2")} <= set(by)
    assert {("another seed", "lds"), ("ceiling", "lds")} <= set(by)
    assert {("ekfac, 1 facts", "lds"), ("ekfac_cg, 1 facts", "lds"), ("ekfac_cg, 1 facts", "lds less ekfac")} <= set(by)
    assert any(each.metric == "best for influence" for each in found)
    stamps = {each.stage: each.folder.stat().st_mtime_ns for each in finished(trial.work.folder)}
    assert f"evaluation-trust-{trial.name}" in stamps
    assert run(trial, Said()) == found
    assert so_far(trial) == [each for each in found if not each.metric.startswith("best ")]
    assert {each.stage: each.folder.stat().st_mtime_ns for each in finished(trial.work.folder)} == stamps
    assert AutoModelForCausalLM.from_pretrained(trial.path).dtype == torch.float32
