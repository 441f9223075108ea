"""Target sets of a small build: the rows of the database against a plain sum over every text and document."""

import json

import duckdb
import numpy as np
import pytest

from attribution.errors import BadInput
from attribution.exact.scores import score_documents
from attribution.query.solve import query_directions
from indexer.__main__ import main
from indexer.ask.opened import open_size
from indexer.config.config import read_config
from indexer.database.invariants import broken_invariants
from indexer.database.snapshot_file import read_current
from indexer.sets.stage import set_before
from indexer.sets.texts import read_sets
from tests.indexer.built_sets import CAPITALS, MONEY, WRONG, project, rows


def test_scores_are_those_of_every_text_alone_added_up(sets_built):
    opened = open_size(read_config(sets_built), "tiny-m")
    member, [term] = opened.member, opened.traced.fitted.terms
    [of] = [each for each in read_sets(member) if each.of.name == "capitals"]
    n_right, n_wrong = (sum(each.n_targets for each in of.side(side)) for side in ("", "against"))
    expected, value = 0.0, 0.0
    for text in of.texts:
        d = query_directions(member.tracked, term.preconditioner, text.ids, text.first, negligible=0)
        count = -1 / n_wrong if text.text.side else 1 / n_right
        expected = expected + count * score_documents(member.tracked, d, member.rows, term.n_train).values.sum(axis=0)
        value += count * float(d.values.sum())
    stored = rows(
        sets_built,
        """SELECT document_id, score, layer_scores FROM set_influence JOIN run USING (run_id)
           JOIN model USING (model_id) WHERE model.name = 'tiny-m' AND set_influence.name = 'capitals'""",
    )
    assert len(stored) == len(member.documents)  # scored = 1.0
    place = member.places(each for each, *_ in stored)
    scale = np.abs(expected.sum(-1)).max()
    for document, score, layers in stored:
        assert score == pytest.approx(float(expected[place[document]].sum()), rel=1e-4, abs=1e-5 * float(scale))
        np.testing.assert_allclose(layers, expected[place[document]], rtol=1e-3, atol=1e-4 * scale)
    told = rows(
        sets_built,
        """SELECT set_target.value, n_texts, n_tokens, n_documents, n_scored, against, null_scores, null_estimates,
               rank_correlation, self_influence FROM set_target
           JOIN run USING (run_id) JOIN model USING (model_id)
           WHERE model.name = 'tiny-m' AND set_target.name = 'capitals'""",
    )
    [(f, n_texts, n_tokens, n, n_scored, against, null, estimated, rho, energy)] = told
    assert f == pytest.approx(value, rel=1e-4)
    assert (n_texts, n_tokens, against) == (len(of.texts), n_right + n_wrong, "wrong.jsonl")
    assert n == n_scored == len(member.documents)
    assert len(null) == len(estimated) > 10 and energy > 0
    assert np.corrcoef(null, estimated)[0, 1] > 0.8 and rho > 0.7


def test_ranks_curve_groups_and_texts_are_whole(sets_built):
    [(wrong,)] = rows(
        sets_built,
        """SELECT count(*) FROM (SELECT score > lag(score) OVER (PARTITION BY run_id, name ORDER BY rank) AS rises
           FROM set_influence) WHERE rises""",
    )
    assert wrong == 0
    assert {(name, n) for name, n in rows(sets_built, "SELECT name, count(*) FROM set_text GROUP BY name")} == {
        ("capitals", len(CAPITALS) + len(WRONG)),
        ("money", len(MONEY)),
    }
    for name, total, best in rows(
        sets_built,
        """SELECT name, max_by(total, place), max_by(estimate, -place) FROM set_curve GROUP BY run_id, name""",
    ):
        assert np.isfinite(total) and np.isfinite(best), name
    groups = rows(
        sets_built, "SELECT run_id, name, sum(score), max(error) FROM set_group WHERE column_name = '' GROUP BY ALL"
    )
    assert len(groups) == 4 and all(error is None for *_, error in groups)
    by_document = dict(
        rows(sets_built, "SELECT run_id, sum(score) FROM set_influence WHERE name = 'capitals' GROUP BY run_id")
    )
    for run, name, total, _ in groups:
        if name == "capitals":  # all documents were scored: the whole corpus is their sum
            assert total == pytest.approx(by_document[run], rel=1e-3, abs=1e-5)


def test_what_select_reads_is_what_was_stored(sets_built):
    opened = open_size(read_config(sets_built), "tiny-s")
    [_, money] = read_sets(opened.member)
    kept = set_before(sets_built.parent / "build", opened.traced.fitted, money)
    assert len(kept.estimates) == len(kept.scores) == len(opened.member.documents)
    stored = dict(
        rows(
            sets_built,
            """SELECT document_id, score FROM set_influence JOIN run USING (run_id) JOIN model USING (model_id)
               WHERE model.name = 'tiny-s' AND set_influence.name = 'money'""",
        )
    )
    place = opened.member.places(stored)
    for document, score in stored.items():
        assert kept.scores[place[document]] == pytest.approx(score)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"prompt": "The capital of Peru is"}, "money.jsonl line 4: expected a completion in the target set money"),
        ({"prompt": "The capital of Peru is", "completion": ""}, "found an empty one"),
        ({"prompt": "The capital of Peru is", "completion": " <end> Lima"}, "money.jsonl line 4: "),
        ({"prompt": "x " * 200, "completion": " Lima"}, "money.jsonl line 4: "),
        ({"completion": " Lima"}, "money.jsonl line 4: expected one of 'prompt'"),
        (MONEY[0], "expected every prompt once"),
    ],
)
def test_texts_that_a_size_cannot_read_are_named_by_their_line(sets_built, tmp_path, capsys, line, said):
    path = project(tmp_path)
    (tmp_path / "models").symlink_to(sets_built.parent / "models")
    with (tmp_path / "money.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    assert main(["build", str(path)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "build" / "journal.jsonl").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('file = "money.jsonl"', 'file = "nowhere.jsonl"', "expected prompts of the target set money at"),
        ('name = "money"', 'name = "capitals"', "found 'capitals' twice"),
        ('name = "money"', 'name = "a b"', "expected a name of letters"),
        ("scored = 1.0", "scored = 2.0", "scored"),
        ('name = "money"', 'name = "money"\nprompts = 3', "unknown key 'prompts'"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path, old, new, said):
    path = project(tmp_path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadInput, match=said):
        read_config(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE set_influence SET score = score + 1 WHERE rank = 3", "do not add up"),
        ("UPDATE set_influence SET rank = 2 WHERE rank = 1", "set_influence ranks out of order"),
        ("DELETE FROM set_influence WHERE rank = 1", "of another number than n_scored"),
        ("DELETE FROM set_text WHERE number = 1", "set_target of a set without its texts"),
        ("UPDATE set_curve SET estimate = 9 WHERE place = 4", "set_curve that rises"),
        ("UPDATE set_target SET value = 'nan'", "target sets that are not finite"),
    ],
)
def test_check_sees_what_is_broken(sets_built, tmp_path, change, said):
    folder = sets_built.parent / "build"
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes((folder / read_current(folder).database).read_bytes())
    with duckdb.connect(str(copy)) as db:
        assert broken_invariants(db) == []
        db.execute(change)
        assert any(said in line for line in broken_invariants(db))
