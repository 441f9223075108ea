"""`select` on a small build: its lines are the database's scores, candidates are scored exactly, mistakes a line."""

import json
import weakref
from pathlib import Path

import numpy as np
import pytest

from attribution.exact.scores import score_documents
from indexer.__main__ import main
from indexer.ask.opened import open_size
from indexer.config.config import read_config
from indexer.select import command
from indexer.select.line import DROP, KEEP, Line
from indexer.sets.query import set_query
from indexer.sets.texts import read_sets
from tests.indexer.built_sets import rows
from tests.synthetic_database import FACTS
from tests.tiny_family import TEXTS, write_lines


def selected(path: Path, out: Path, *options: str) -> list[dict]:
    given = ["select", str(path), "--target", "capitals", "--keep", "30%", "--model", "tiny-m", "--out", str(out)]
    assert main([*given, *options]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_lines_are_the_scores_of_the_database_in_their_order(sets_built, tmp_path, capsys):
    lines = selected(sets_built, tmp_path / "kept.jsonl")
    assert "keep 9" in capsys.readouterr().out
    stored = dict(
        rows(
            sets_built,
            """SELECT document_id, score FROM set_influence JOIN run USING (run_id) JOIN model USING (model_id)
               WHERE model.name = 'tiny-m' AND set_influence.name = 'capitals'""",
        )
    )
    kept = [line for line in lines if line["verdict"] == "keep"]
    assert len(kept) == round(0.3 * len(TEXTS))
    best = sorted(stored, key=lambda each: -stored[each])[: len(kept)]
    assert [line["document_id"] for line in kept] == best
    for line in lines:
        assert line["score"] == pytest.approx(stored[line["document_id"]])
        assert line["text"] in TEXTS and 0 <= line["above"] <= 1
    assert [line["rank"] for line in lines] == sorted(line["rank"] for line in lines)


def test_diverse_keeps_no_near_duplicates(sets_built, tmp_path):
    lines = selected(sets_built, tmp_path / "kept.jsonl", "--diverse")
    assert lines and {line["verdict"] for line in lines} <= {"keep", "drop", "look"}


def test_candidates_are_scored_as_documents_are(sets_built, tmp_path):
    country, capital, _ = FACTS[0]
    texts = [f"The capital of {country} is not {capital}.", f"In {country} it rains.", TEXTS[0]]
    write_lines(tmp_path / "new.jsonl", [{"text": text} for text in texts])
    lines = selected(sets_built, tmp_path / "out.jsonl", "--candidates", str(tmp_path / "new.jsonl"))
    by_text = {line["text"]: line for line in lines}
    assert set(by_text) == set(texts)
    opened = open_size(read_config(sets_built), "tiny-m")
    [of] = [each for each in read_sets(opened.member) if each.of.name == "capitals"]
    fitted = opened.traced.fitted
    directions = set_query(fitted, of.weighted).directions[0]
    place = next(i for i, each in enumerate(opened.member.documents) if each.text == TEXTS[0])
    exact = score_documents(opened.member.tracked, directions, [opened.member.rows[place]], fitted.terms[0].n_train)
    known = by_text[TEXTS[0]]
    assert known["score"] == pytest.approx(float(exact.values.sum()), rel=1e-4)
    assert known["verdict"] != "keep"  # the model was trained on it
    assert np.isfinite([line["score"] for line in lines]).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--keep", "0"], "for --keep, found '0'"),
        (["--keep", "200%"], "for --keep, found '200%'"),
        (["--target", "nothing"], "choose from capitals, money"),
        (["--model", "tiny-x"], "found 'tiny-x'"),
        (["--out", "kept.csv"], "expected a file named .jsonl"),
        (["--candidates", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_mistakes_are_one_line(sets_built, capsys, options, said):
    given = {"--target": "capitals", "--keep": "10%"} | dict([options])
    assert main(["select", str(sets_built), *[each for pair in given.items() for each in pair]]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["corpus.jsonl", "capitals.jsonl", "wrong.jsonl", "prompts.jsonl", "given.jsonl", "build/journal.jsonl"]
)
def test_what_is_read_is_not_written_over(sets_built, capsys, monkeypatch, name):
    """Nor is a model opened for it."""
    monkeypatch.setattr(command, "open_size", lambda *_: pytest.fail("a model was opened"))
    write_lines(sets_built.parent / "given.jsonl", [{"text": "Lima is far."}])
    file = sets_built.parent / name
    before = file.read_bytes()
    given = ["--target", "capitals", "--keep", "1", "--candidates", str(sets_built.parent / "given.jsonl")]
    assert main(["select", str(sets_built), *given, "--out", str(file)]) == 2
    error = capsys.readouterr().err
    assert "expected another file for --out than what is read" in error and error.count("\n") == 1
    assert file.read_bytes() == before


def test_a_folder_is_no_file_to_write(sets_built, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "open_size", lambda *_: pytest.fail("a model was opened"))
    (tmp_path / "a.jsonl").mkdir()
    for out, said in ((tmp_path / "a.jsonl", "found a folder at"), (tmp_path / "no" / "a.jsonl", "a folder for --out")):
        assert main(["select", str(sets_built), "--target", "capitals", "--keep", "1", "--out", str(out)]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1


def test_what_candidates_cannot_give_is_said_before_a_model_is_opened(sets_built, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "open_size", lambda *_: pytest.fail("a model was opened"))
    write_lines(tmp_path / "two.jsonl", [{"text": "Lima is far."}, {"text": "Rome is near."}])
    (tmp_path / "none.jsonl").write_text("no JSON")
    for name, said in (("two.jsonl", "at most the 2 documents that there are for --keep"), ("none.jsonl", "line 1")):
        given = ["--target", "capitals", "--keep", "5000", "--candidates", str(tmp_path / name)]
        assert main(["select", str(sets_built), *given]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1


def test_a_set_that_was_changed_since_the_build_is_refused(sets_built, tmp_path, capsys):
    path = sets_built.parent / "changed.toml"
    path.write_text(sets_built.read_text().replace("scored = 1.0", "scored = 0.9"))
    assert main(["select", str(path), "--target", "capitals", "--keep", "10%"]) == 2
    assert "run `whence build`" in capsys.readouterr().err


def test_no_more_texts_are_held_than_are_printed(sets_built, tmp_path, monkeypatch, capsys):
    """Lines are written as they are made; a file that is there stays until all of them are."""
    held, there, out = [], set(), tmp_path / "kept.jsonl"
    out.write_text("before\n")

    def many(*_):
        for i in range(100):
            line = Line(KEEP if i % 2 else DROP, i + 1, 0.1, None, None, "", f"{i:016x}", "", "", "", f"text {i}")
            held.append(weakref.ref(line))
            yield line
            del line
            assert sum(each() is not None for each in held) <= 2 * command.SHOWN + 1
            there.add(out.read_text())

    monkeypatch.setattr(command, "_of_corpus", many)
    lines = selected(sets_built, out)
    assert [line["text"] for line in lines] == [f"text {i}" for i in range(100)]
    assert there == {"before\n"}
    said = capsys.readouterr().out
    assert "keep 50, drop 50, look 0" in said and "text 9" in said and "text 11" not in said
    assert main(["select", str(sets_built), "--target", "capitals", "--keep", "9", "--model", "tiny-m"]) == 0
    assert "keep 50, drop 50, look 0\n" in capsys.readouterr().out
