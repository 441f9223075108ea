"""The figure of the summary: of the right answers whose fact stands in one document, how many find it."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from attribution.model.generate import Generation
from attribution.model.sequence import Encoded
from indexer.corpus.prompt import Prompt
from indexer.journal.stages import Finished
from indexer.pipeline.report.facts import Facts, facts, telling_token
from indexer.size.answers import Answer, stating


def answer(name: str, expected: str, pieces: list[str], supports: tuple[str, ...], fact: str = "") -> Answer:
    prompt = replace(Prompt.from_text(f"prompt {name}", answer=expected), supports=supports, fact=fact)
    text, spans = "", []
    for piece in pieces:
        spans.append((len(text), len(text) + len(piece)))
        text += piece
    ids = tuple(range(len(pieces)))
    made = Generation(Encoded((0,), ((0, 0),)), ids, text, tuple(spans), tuple(0.0 for _ in ids))
    return Answer(name, prompt, made, stating=supports)


def shard(folder: Path, rows: list[tuple[str, int, str, int]]) -> Finished:
    names = ("generation_id", "position", "document_id", "rank")
    pq.write_table(
        pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)}), folder / "influence.parquet"
    )
    return Finished("scores", "all", "k", folder, {}, 0.0)


def test_ranks_of_the_one_document_that_states_a_right_answer(tmp_path):
    answers = [
        answer("found", "Paris", [" Paris", "."], ("d1",)),
        answer("low", "Lima", [" Li", "ma", "."], ("d2",)),
        answer("absent", "Oslo", [" Oslo"], ("d3",)),
        answer("wrong", "Cairo", [" Rome"], ("d4",)),
        answer("twice", "Quito", [" Quito"], ("d5", "d6")),
        answer("unknown", "", [" Rome"], ()),
        answer("whole", "It is Bern.", [" It", " is", " Bern", "."], ("d7",), fact="Bern"),
    ]
    rows = [
        ("found", 0, "d1", 1),
        ("found", 1, "d1", 40),
        ("low", 0, "d2", 9),
        ("absent", 1, "d3", 1),
        ("wrong", 0, "d4", 1),
        ("whole", 0, "d7", 50),
        ("whole", 2, "d7", 2),
    ]
    made = facts(answers, [shard(tmp_path, rows)])
    assert made == Facts(n_right=5, n_prompts=6, ranks=(1, 9, None, 2))
    assert made.found(made.ranks) == "2 of 4 (50%)"


def test_where_whole_answers_are_targets_the_best_stating_document_counts_for_them(tmp_path):
    answers = [
        answer("first", "Paris", [" Paris", "."], ("d1",)),
        answer("second", "Lima", [" Lima", "."], ("d2",)),
        answer("two", "Quito", [" Quito"], ("d5", "d6")),
        answer("absent", "Oslo", [" Oslo"], ("d3",)),
        answer("wrong", "Cairo", [" Rome"], ("d4",)),
        answer("unstated", "Bern", [" Bern"], ()),
    ]
    part = shard(tmp_path, [("second", 0, "d2", 1)])
    spans = [(each.generation_id, n, kind) for each in answers for n, kind in enumerate(("word", "answer"))]
    ranks = [("first", 1, "d1", 1), ("second", 0, "d2", 1), ("second", 1, "d2", 2), ("two", 1, "d5", 7),
             ("two", 1, "d6", 1), ("absent", 0, "d3", 1), ("wrong", 1, "d4", 1)]  # fmt: skip
    for table, names, rows in (
        ("span", ("generation_id", "span", "kind"), spans),
        ("span_influence", ("generation_id", "span", "document_id", "rank"), ranks),
    ):
        columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        pq.write_table(pa.table(columns), tmp_path / f"{table}.parquet")
    made = facts(answers, [part])
    assert made == Facts(n_right=5, n_prompts=6, ranks=(1, 2, 1, None), whole=True)
    assert made.found(made.ranks) == "2 of 4 (50%)"

    other = tmp_path / "other"
    other.mkdir()
    names = ("generation_id", "span", "document_id", "rank")
    better = [("first", 1, "d1", 1), ("second", 1, "d2", 1), ("two", 1, "d5", 1), ("two", 0, "d6", 1)]
    columns = {name: [row[i] for row in better] for i, name in enumerate(names)}
    pq.write_table(pa.table(columns), other / "span_influence.parquet")
    without = tmp_path / "without"
    without.mkdir()
    both = facts(answers, [part], {"better": replace(part, folder=other), "no words": replace(part, folder=without)})
    assert both.ranks == made.ranks
    assert both.others == (("better", (1, 1, 1, None)),)


def test_documents_of_the_last_stage_that_states_the_answer():
    prompt = replace(Prompt.from_text("a"), supports=("before", "tuned"))
    assert stating(prompt, {"tuned", "other"}) == ("tuned",)
    assert stating(prompt, {"other"}) == ("before", "tuned")


def test_no_prompt_that_qualifies_is_a_share_of_zero():
    assert Facts(0, 3, ()).found(()) == "0 of 0 (0%)"


def test_the_first_token_that_tells_the_fact():
    assert telling_token(answer("a", "x", [" ", "\n", "x"], ())) == 2
    assert telling_token(answer("a", "x", ["x"], ())) == 0
    assert telling_token(answer("a", "x", [" "], ())) == 0
    assert telling_token(answer("a", "the x", ["the", " ", "x", "y"], (), fact="x")) == 2
    assert telling_token(answer("a", "the xy", ["the", " xy"], (), fact="y")) == 1
