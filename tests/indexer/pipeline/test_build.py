"""The whole road on a tiny family: train, build, publish, build again, change something, build again."""

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from dashboard.database.ranking import among_random
from indexer.__main__ import main
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.journal.stages import drop, finished, stage
from indexer.size import factors
from tests.tiny_family import PROMPTS, TEXTS, write_lines, write_project


@pytest.fixture(scope="module", autouse=True)
def no_process_for_factors():
    """Fit factors in this process: importing torch anew for each size takes longer than all else here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        yield


def stage_here(*of, isolate, **named):
    assert isolate
    return stage(*of, **named)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The configuration of a family that is trained and built."""
    config = write_project(tmp_path_factory.mktemp("project"))
    assert main(["train", str(config)]) == 0
    assert main(["build", str(config)]) == 0
    return config


@pytest.fixture
def project(built, tmp_path) -> Path:
    """A copy to change."""
    shutil.copytree(built.parent, tmp_path / "project")
    return tmp_path / "project" / built.name


def ask(config: Path, sql: str) -> list[tuple]:
    folder = config.parent / "build"
    current = read_current(folder)
    assert current is not None
    with duckdb.connect(str(folder / current.database), read_only=True) as db:
        return db.execute(sql).fetchall()


def test_input_44_a_small_corpus_is_its_own_null_and_no_document_is_compared_with_itself(built):
    """Each kept score is one of the stored numbers to the last bit: so the page knows which of them is the document."""
    found = ask(built, "SELECT score, null_scores FROM influence JOIN target USING (run_id, generation_id, position)")
    [(n_documents,)] = ask(built, "SELECT count(*) FROM document")
    assert found
    assert n_documents < 100
    for score, null in found:
        assert score in null
        others = len(null) - 1
        assert among_random(score, np.array(null)).split(" random")[0].split()[-1] == str(others)
    best = [(score, null) for score, null in found if score == max(null) > 0]
    assert best
    assert all(among_random(*each).startswith("stronger than all") for each in ((s, np.array(n)) for s, n in best))


def parts(config: Path) -> dict[str, int]:
    """Every finished part -> when its folder was made."""
    return {str(path): path.stat().st_mtime_ns for path in (config.parent / "build/parts").glob("*/*")}


def snapshots(config: Path) -> list[str]:
    return sorted(path.name for path in (config.parent / "build").glob("snap-*.duckdb"))


def test_everything_is_published_and_nothing_is_broken(built):
    assert check(built.parent / "build") == []
    assert ask(built, "SELECT name FROM model ORDER BY n_params") == [("tiny-s",), ("tiny-m",)]
    assert ask(built, "SELECT count(*) FROM document") == [(len(TEXTS),)]
    assert ask(built, "SELECT count(*) FROM generation") == [(2 * len(PROMPTS),)]
    filled = ("layer", "run", "prompt", "prompt_part", "prompt_token", "generation_token", "candidate", "target")
    for table in (*filled, "influence", "influence_position", "relabel", "self_influence", "document_token"):
        assert ask(built, f"SELECT count(*) > 0 FROM {table}") == [(True,)], table  # noqa: S608


def test_input_47_the_seconds_of_a_run_stay_right_when_the_build_is_resumed(project):
    """Whatever this build found finished counts as long as it took when it was computed."""
    folder = project.parent / "build"
    before = dict(ask(project, "SELECT name, seconds FROM run JOIN model USING (model_id)"))
    for name, seconds in before.items():
        behind = [part for part in finished(folder) if part.stage.endswith(f"-{name}")]
        stages = {"factors", "answers", "prompts", "corpus", "scores"}
        took = sum(part.seconds for part in behind if part.stage.removesuffix(f"-{name}") in stages)
        assert seconds == pytest.approx(took)
    drop(folder, [part for part in finished(folder) if part.stage.startswith("about-")])
    assert main(["build", str(project)]) == 0
    assert dict(ask(project, "SELECT name, seconds FROM run JOIN model USING (model_id)")) == pytest.approx(before)


def test_layers_add_up_to_the_score_in_every_row(built):
    rows = ask(built, "SELECT score, layer_scores FROM influence")
    assert len(rows) > 100
    for score, layers in rows:
        assert sum(layers) == pytest.approx(score, rel=1e-4, abs=1e-7 * sum(map(abs, layers)))


def test_positions_add_up_to_the_score(built):
    """Shares (by default of full rank) and token-loss influences; both over linear layers and embedding."""
    rows = ask(
        built,
        """SELECT score, list_sum(loss_influences), list_sum(shares), list_sum(list_transform(shares, lambda x: abs(x)))
           FROM influence_position
           JOIN influence USING (run_id, generation_id, position, document_id) WHERE loss_influences IS NOT NULL""",
    )
    assert len(rows) > 20
    scale = max(abs(score) for score, *_ in rows)
    for score, losses, shares, sizes in rows:
        assert losses == pytest.approx(score, rel=1e-3, abs=1e-4 * scale)
        assert shares == pytest.approx(score, rel=1e-5, abs=1e-5 * sizes)


def test_both_ends_of_every_ranking_are_kept(built):
    rows = ask(
        built,
        """SELECT min(rank), max(rank), count(*), any_value(n_scored) FROM influence
           JOIN target USING (run_id, generation_id, position) GROUP BY run_id, generation_id, position""",
    )
    assert len(rows) > 10
    for first, last, n, n_scored in rows:
        assert (first, last) == (1, n_scored)
        assert n >= min(10, n_scored)


def test_sizes_join_on_prompt_and_document(built):
    [(n,)] = ask(
        built, "SELECT count(*) FROM generation a JOIN generation b USING (prompt_id) WHERE a.model_id < b.model_id"
    )
    assert n == len(PROMPTS)
    [(shared,)] = ask(
        built,
        """SELECT count(DISTINCT document_id) FROM self_influence a JOIN self_influence b USING (document_id)
           WHERE a.run_id < b.run_id""",
    )
    assert shared == len(TEXTS)


def test_every_size_reads_what_the_other_wrote(built):
    rows = ask(
        built,
        """SELECT token.text, reading.said_text, reading.logp, said_logp, own.text = token.text
           FROM reading JOIN generation_token AS token USING (generation_id, position)
           JOIN generation USING (generation_id)
           JOIN generation AS mine ON mine.prompt_id = generation.prompt_id AND mine.model_id = reading.model_id
           JOIN generation_token AS own ON own.generation_id = mine.generation_id AND own.position = reading.position
           WHERE reading.model_id <> generation.model_id AND reading.position = 0""",
    )
    assert len(rows) == 2 * len(PROMPTS)
    for written, said, logp, said_logp, same in rows:  # at the first token nothing was written before: greedy is greedy
        assert logp <= said_logp + 1e-6
        assert (said == written) == same
    [(bits,)] = ask(built, "SELECT max(abs(bits_full + logp / ln(2))) FROM reading")
    assert bits < 1e-5


def test_the_views_name_layers_and_tokens(built):
    [(layers, tokens)] = ask(
        built,
        """SELECT (SELECT count(*) FROM influence_layer WHERE score IS NULL OR kind IS NULL),
                  (SELECT count(*) FROM influence_token WHERE share IS NULL)""",
    )
    assert (layers, tokens) == (0, 0)
    text = ask(
        built,
        """SELECT any_value(document.text), string_agg(token.text, '' ORDER BY token_position)
           FROM document_token AS token JOIN document USING (document_id) GROUP BY document_id""",
    )
    assert len(text) == len(TEXTS)
    assert all(whole == joined for whole, joined in text)


def test_a_second_build_does_nothing(built):
    before, published = parts(built), snapshots(built)
    assert main(["build", str(built)]) == 0
    assert parts(built) == before
    assert snapshots(built) == published


def test_a_changed_prompt_redoes_only_what_depends_on_it(project):
    before, published = parts(project), snapshots(project)
    write_lines(
        project.parent / "prompts.jsonl", [*PROMPTS[:2], {"prompt": "People in Peru pay in the", "answer": "sol"}]
    )
    assert main(["build", str(project)]) == 0
    after = parts(project)
    redone = {Path(path).parent.name for path, made in after.items() if before.get(path) != made}
    assert redone == {
        "prompts",
        *(
            f"{what}-{size}"
            for what in ("answers", "prompts", "lexical", "scores", "inside", "taught", "grouped", "verbatim")
            for size in ("tiny-s", "tiny-m")
        ),
        *("reading-tiny-s-tiny-m", "reading-tiny-m-tiny-s"),
    }
    assert len(snapshots(project)) == len(published) + 1  # one, with both sizes: readers never see fewer
    assert ask(project, "SELECT count(*) FROM generation") == [(6,)]
    assert check(project.parent / "build") == []


def test_other_settings_of_the_scores_keep_the_factors(project):
    before = parts(project)
    project.write_text(project.read_text().replace("token_losses = 2", "token_losses = 2\ndamping = 0.5"))
    assert main(["build", str(project)]) == 0
    kept = {Path(path).parent.name for path, made in parts(project).items() if before.get(path) == made}
    assert {"factors-tiny-s", "factors-tiny-m", "answers-tiny-s", "answers-tiny-m", "text"} <= kept
    assert not {"scores-tiny-s", "corpus-tiny-s"} & kept
    assert ask(project, "SELECT DISTINCT damping FROM run") == [(0.5,)]


def test_a_new_document_redoes_every_score_and_skipped_ones_are_counted_and_named_or_refused(project, capsys):
    texts = [*TEXTS, "", TEXTS[3], "Lima is the capital of Peru."]
    write_lines(project.parent / "corpus.jsonl", [{"text": text} for text in texts])
    assert main(["build", "--strict", str(project)]) == 2
    assert "empty at corpus.jsonl line 31, duplicate at corpus.jsonl line 32" in capsys.readouterr().err
    assert main(["build", str(project)]) == 0
    said = capsys.readouterr().err
    assert "1 empty skipped: corpus.jsonl line 31" in said
    assert "1 duplicate counted with the first: corpus.jsonl line 32 (as corpus.jsonl line 4)" in said
    assert ask(project, "SELECT count(*) FROM document") == [(len(TEXTS) + 1,)]
    assert ask(project, "SELECT count(DISTINCT run_id) FROM influence") == [(2,)]
    assert check(project.parent / "build") == []


def test_the_summary_says_what_was_built_and_how_to_open_it(project, capsys):
    assert main(["build", str(project)]) == 0
    said = capsys.readouterr().err
    for expected in ("30 documents", "3 prompts", "tiny-s: 12 generated tokens", "answers right", "database: ", " MB)"):
        assert expected in said
    assert said.rstrip().endswith(f"open it: whence serve {project.parent / 'build'}")


def test_a_new_prompt_is_answered_and_traced(project, capsys):
    assert main(["ask", str(project), "The capital of Cuba is", "--model", "tiny-m", "--json"]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert asked["model"] == "tiny-m"
    assert len(asked["documents"]) == len(asked["tokens"]) > 0
    for rows in asked["documents"]:
        assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
        assert all(sum(row["layer_scores"]) == pytest.approx(row["score"], rel=1e-4, abs=1e-6) for row in rows)


def test_an_indexed_prompt_gets_the_indexed_scores(project, capsys):
    """Both take the same road through the same functions."""
    assert main(["ask", str(project), PROMPTS[0]["prompt"], "--model", "tiny-s", "--json"]) == 0
    asked = json.loads(capsys.readouterr().out)
    rows = ask(
        project,
        f"""SELECT position, document_id, score FROM influence WHERE generation_id = '{asked["generation_id"]}'
            ORDER BY position, rank""",  # noqa: S608
    )
    found = [(q, row["document_id"], row["score"]) for q, of in enumerate(asked["documents"]) for row in of]
    assert [(q, document) for q, document, _ in found] == [(q, document) for q, document, _ in rows]
    assert [score for _, _, score in found] == pytest.approx([score for _, _, score in rows], rel=1e-4)


CHILD = """
[[model]]
name = "tiny-chat"
family = "tiny"
path = "models/tiny-chat"
stage = "finetuned"
parent = "tiny-s"
files = ["chat.jsonl"]
[model.recipe]
epochs = 4
batch = 4
context = 64
[prompts]
"""


def test_a_fine_tuned_model_is_traced_to_both_of_its_corpora(project):
    pairs = [f"Question: What is the capital of {c}? Answer: {text}" for c, text in zip("ABCDEF", TEXTS, strict=False)]
    write_lines(project.parent / "chat.jsonl", [{"text": text} for text in [*pairs, TEXTS[0]]])  # one stands in both
    project.write_text(project.read_text().replace("[prompts]\n", CHILD))
    assert main(["train", str(project), "--model", "tiny-chat"]) == 0
    assert main(["build", str(project)]) == 0
    assert check(project.parent / "build") == []
    rows = ask(
        project,
        """SELECT corpus, count(*) FROM influence JOIN run USING (run_id) JOIN model USING (model_id)
           JOIN document USING (document_id) WHERE name = 'tiny-chat' GROUP BY corpus ORDER BY corpus""",
    )
    assert [corpus for corpus, n in rows if n > 0] == ["chat", "corpus"]


@pytest.mark.slow
def test_factors_are_fitted_in_a_process_of_their_own(project):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage)
        shutil.rmtree(project.parent / "build")
        assert main(["build", str(project), "--model", "tiny-s"]) == 0
    assert ask(project, "SELECT name FROM model") == [("tiny-s",)]
