"""Spans of answers in a built corpus: as looking at every place finds them, in the database and of a new prompt."""

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from indexer.__main__ import main
from indexer.ask.job import run
from indexer.config.config import read_config
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.journal.stages import finished
from indexer.size import factors
from indexer.size.member import Member, open_member
from indexer.verbatim import arrays
from indexer.verbatim.found import Words, words_of
from tests.indexer.pipeline.test_build import stage_here
from tests.indexer.verbatim import naive
from tests.tiny_family import PROMPTS, TEXTS, write_lines, write_project

ASKED = [
    {"prompt": "The capital of Peru is", "completion": " Lima. The capital of Chile is Santiago."},
    {"prompt": "Is it so?", "completion": " People in Japan pay in the yen."},
    *PROMPTS[:1],
]
WINDOWS = "[corpus]\nwindow = 14\noverlap = 3"
TUNED = """
[[model]]
name = "tiny-t"
family = "tiny"
path = "models/tiny-t"
stage = "finetuned"
parent = "tiny-s"
files = ["told.jsonl"]
[model.recipe]
epochs = 1
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Documents in windows; a child that was trained on one of them again, and on others."""
    path = write_project(tmp_path_factory.mktemp("verbatim"), prompts=ASKED)
    text = path.read_text().replace("[corpus]", WINDOWS).replace("[prompts]", f"{TUNED}[prompts]")
    path.write_text(text.replace("max_new_tokens = 4", "max_new_tokens = 9"))
    told = [
        TEXTS[0],
        "The capital of Peru is Lima. The capital of Peru is Lima.",
        "Lima, Lima and Lima again, says Peru, is the capital.",
    ]
    write_lines(path.parent / "told.jsonl", [{"text": each} for each in told])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(path)]) == 0
        assert main(["build", str(path)]) == 0
    return path


def member_of(config: Path, name: str) -> Member:
    read = read_config(config)
    return open_member(next(each for each in read.model if each.name == name), read)


@pytest.fixture(scope="module")
def tuned(config) -> Member:
    return member_of(config, "tiny-t")


def windows(member: Member) -> tuple[list[tuple[int, ...]], list[tuple[int, int]]]:
    """The ids of every window of every document, and which document and token it begins with."""
    ids, begins = [], []
    for d, row in enumerate(member.rows):
        start = 0
        for width in row.widths:
            ids.append(row.ids[start : start + width])
            begins.append((d, start))
            start += width
    return ids, begins


def questions(member: Member, n: int) -> list[list[int]]:
    """Pieces of documents, joined, with some ids changed: as an answer is, more or less."""
    random = np.random.default_rng(3)
    made = []
    for _ in range(n):
        asked: list[int] = []
        for _ in range(random.integers(1, 4)):
            ids = member.rows[int(random.integers(len(member.rows)))].ids
            start = int(random.integers(len(ids)))
            asked += ids[start : start + int(random.integers(2, 12))]
        if random.random() < 0.5:
            asked[int(random.integers(len(asked)))] = int(random.integers(member.loaded.n_rows))
        made.append(asked)
    return made


def test_spans_and_places_are_those_of_looking_everywhere(tuned, config):
    words = words_of(config.parent / "build", tuned)
    texts, begins = windows(tuned)
    numbers = tuned.numbers.tolist()
    once = [numbers.index(number) for number in numbers]  # a document of two stages is the first one's
    shortest, most = tuned.config.verbatim.shortest, tuned.config.verbatim.places
    n_spans = 0
    for asked in questions(tuned, 200):
        expected = naive.longest_spans(texts, asked, shortest)
        found = words.of(asked)
        assert [(of.first, of.last) for of in found] == sorted(expected)
        n_spans += len(found)
        for of in found:
            where = {(once[begins[t][0]], begins[t][1] + i) for t, i in expected[of.first, of.last]}
            assert of.n_places == len(where)
            assert of.n_documents == len({d for d, _ in where})
            assert set(of.places) <= where and list(of.places) == sorted(set(of.places))
            assert len(of.places) == min(most, len(where))
            assert len({d for d, _ in of.places}) == min(most, of.n_documents)
    assert n_spans > 200


def test_no_span_crosses_what_was_read_apart(tuned):
    row = next(row for row in tuned.rows if len(row.widths) > 1)
    words = words_of(tuned.config.output.folder, tuned)
    first = row.widths[0]
    [*spans] = words.of(row.ids[first - 4 : first + 4])
    assert all(not (of.first < 4 <= of.last) or of.last - of.first < 7 for of in spans)
    assert any(of.last == 3 or of.first >= 1 for of in spans)


def test_a_preferred_document_keeps_a_place(tuned):
    words = words_of(tuned.config.output.folder, tuned)
    ids = tuned.rows[0].ids[1:4]
    texts, begins = windows(tuned)
    where = sorted({begins[t][0] for t, _ in naive.occurs(texts, ids)} - {len(TEXTS)})  # which is the first one again
    assert len(where) > tuned.config.verbatim.places
    [of] = words.of(ids, np.array(where[-2:]))
    assert {d for d, _ in of.places} >= set(where[-2:])
    [whole] = words.of(ids, np.array(where))
    assert [d for d, _ in whole.places] == where
    [plain] = words.of(ids)
    assert [d for d, _ in plain.places] == where[: tuned.config.verbatim.places]


def test_partitions_change_nothing(config, tmp_path, monkeypatch):
    project = shutil.copytree(config.parent, tmp_path / "project")
    member = member_of(project / config.name, "tiny-t")
    folder = member.config.output.folder
    expected = [words_of(folder, member).of(asked) for asked in questions(member, 50)]
    monkeypatch.setattr(arrays, "TOKENS", 40)
    assert words_of(folder, member) is None
    for of in member.stages:
        assert len(arrays.keep(folder, of)) > 1
    assert [words_of(folder, member).of(asked) for asked in questions(member, 50)] == expected


def test_the_rows_of_the_database_are_those_of_a_new_prompt(config):
    asked = {"folder": str(config.parent / "build"), "model": "tiny-t", **ASKED[0]}
    told = []
    result = json.loads(json.dumps(run(asked, lambda *of: told.append(of), lambda: False)))
    first = next(payload for _, _, payload in told if payload and "verbatim" in payload)
    assert not any("score" in each for of in first.get("documents", []) for each in of)  # before any score is known
    with duckdb.connect(str(config.parent / "build" / read_current(config.parent / "build").database)) as db:
        of = [result["generation_id"]]
        spans = db.execute("FROM verbatim WHERE generation_id = ? ORDER BY first", of).fetchall()
        places = db.execute("FROM verbatim_place WHERE generation_id = ? ORDER BY ALL", of).fetchall()
    assert len(spans) > 1
    assert spans == [
        (*of, *(each[name] for name in ("first", "last", "n_places", "n_documents"))) for each in result["verbatim"]
    ]
    assert places == sorted(
        (*of, each["first"], place["document_id"], place["token_position"])
        for each in result["verbatim"]
        for place in each["places"]
    )


def test_a_document_that_is_kept_for_its_influence_has_its_place(config, tuned):
    """Whether it stands among the first or not."""
    with duckdb.connect(str(config.parent / "build" / read_current(config.parent / "build").database)) as db:
        influential = set(
            db.execute(
                """SELECT DISTINCT generation_id, document_id FROM influence JOIN run USING (run_id)
                   JOIN model USING (model_id) WHERE name = 'tiny-t'"""
            ).fetchall()
        )
        spans = db.execute(
            """SELECT generation_id, first, list(token_id ORDER BY position) FROM verbatim
               JOIN generation_token USING (generation_id) JOIN generation USING (generation_id)
               JOIN model USING (model_id) WHERE position BETWEEN first AND last AND name = 'tiny-t' GROUP BY ALL"""
        ).fetchall()
        places = set(db.execute("SELECT generation_id, first, document_id FROM verbatim_place").fetchall())
    texts, begins = windows(tuned)
    n = 0
    for generation_id, first, ids in spans:
        for t, _ in naive.occurs(texts, ids):
            document_id = tuned.document_ids[begins[t][0]]
            if (generation_id, document_id) in influential:
                n += 1
                assert (generation_id, first, document_id) in places
    assert n > 0


def test_the_stage_is_whole_and_a_second_build_computes_nothing(config, capsys):
    folder = config.parent / "build"
    assert check(folder) == []
    before = [(part.stage, part.key) for part in finished(folder)]
    assert main(["build", str(config)]) == 0
    capsys.readouterr()
    assert [(part.stage, part.key) for part in finished(folder)] == before
    assert sum(stage.startswith("suffixes-") for stage, _ in before) == 2  # sizes share what they read alike


def test_without_it_there_is_nothing_and_what_was_kept_goes(config, tmp_path, capsys):
    project = shutil.copytree(config.parent, tmp_path / "project")
    path = project / config.name
    path.write_text(path.read_text().replace("[output]", "[verbatim]\nenabled = false\n[output]"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["build", str(path)]) == 0
    capsys.readouterr()
    folder = project / "build"
    assert check(folder) == []
    assert not any(part.stage.startswith("suffixes-") for part in finished(folder))
    with duckdb.connect(str(folder / read_current(folder).database)) as db:
        assert db.execute(
            "SELECT (SELECT count(*) FROM verbatim), (SELECT count(*) FROM verbatim_place)"
        ).fetchone() == (*(0, 0),)
    result = run(
        {"folder": str(folder), "model": "tiny-m", "prompt": PROMPTS[0]["prompt"]}, lambda *of: None, lambda: False
    )
    assert "verbatim" not in result


def test_a_size_without_arrays_has_none(config, tmp_path):
    project = shutil.copytree(config.parent, tmp_path / "project")
    member = member_of(project / config.name, "tiny-m")
    assert isinstance(words_of(member.config.output.folder, member), Words)
    arrays.forget(member.config.output.folder, [])
    assert words_of(member.config.output.folder, member) is None
