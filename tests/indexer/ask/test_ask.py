"""A new prompt gets the numbers that `build` gives the same prompt, and mistakes end in one line."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
import torch

from attribution.errors import BadInput, TryAgain
from attribution.model.generate import answer_logp
from attribution.query import settled
from indexer.__main__ import main
from indexer.ask import steps, surprise
from indexer.ask.job import run
from indexer.ask.opened import open_size
from indexer.ask.result import as_json
from indexer.config.config import read_config
from indexer.corpus.prompt import Prompt
from indexer.database.snapshot_file import read_current
from indexer.salient import job as salient_job
from indexer.size import factors
from indexer.tracing import chunks
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import PROMPTS, write_project

PROMPT = str(PROMPTS[0]["prompt"])


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    path = write_project(tmp_path_factory.mktemp("ask"))
    path.write_text(path.read_text().replace("[corpus]", '[corpus]\ntext_engine = "tantivy"'))  # others have Whoosh
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(path)]) == 0
        assert main(["build", str(path)]) == 0
    return path


def ask(config: Path, **request) -> dict:
    told = []
    asked = {"folder": str(config.parent / "build"), "model": "tiny-m", "prompt": PROMPT} | request
    result = run(asked, lambda stage, fraction, payload: told.append((stage, fraction)), lambda: False)
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    return result


def test_the_answer_has_the_numbers_of_the_database(config):
    result = ask(config)
    current = read_current(config.parent / "build")
    with duckdb.connect(str(config.parent / "build" / current.database), read_only=True) as db:
        stored = db.execute(
            """SELECT position, document_id, score FROM influence JOIN generation USING (generation_id)
               JOIN prompt USING (prompt_id) JOIN model USING (model_id)
               WHERE prompt.text = ? AND model.name = 'tiny-m'""",
            [PROMPT],
        ).fetchall()
    found = {(p, row["document_id"]): row["score"] for p, rows in enumerate(result["documents"]) for row in rows}
    assert found.keys() == {(position, document) for position, document, _ in stored}
    for position, document, score in stored:
        assert found[position, document] == pytest.approx(score, rel=1e-4, abs=1e-9)


def test_everything_the_page_needs_is_json(config):
    result = json.loads(json.dumps(ask(config)))
    n = len(result["tokens"])
    assert n == len(result["documents"]) == len(result["null_scores"]) == len(result["n_scored"])
    for scores in result["saliency"].values():
        assert len(scores) == n
        assert len(scores[0]) == len(result["prompt_tokens"]) + n - 1
    for token in result["tokens"]:
        parts = token["bits_question"] + token["bits_documents"] + token["bits_full"]
        assert token["bits_nothing"] == pytest.approx(parts, abs=1e-6)


def test_words_and_the_whole_answer_have_the_numbers_of_the_database(config):
    result = ask(config)
    current = read_current(config.parent / "build")
    of = [PROMPT, "tiny-m"]
    where = "JOIN generation USING (generation_id) JOIN prompt USING (prompt_id) WHERE prompt.text = ? AND name = ?"
    with duckdb.connect(str(config.parent / "build" / current.database), read_only=True) as db:
        stored = db.execute(
            f"""SELECT span, document_id, score, rank FROM span_influence JOIN run USING (run_id)
                JOIN model USING (model_id) {where}""",  # noqa: S608
            of,
        ).fetchall()
        told = db.execute(
            f"""SELECT span, span.start, span.stop, first, last, span_target.value, n_scored
                FROM span_target JOIN span USING (generation_id, span) JOIN run USING (run_id)
                JOIN model USING (model_id) {where} ORDER BY span""",  # noqa: S608
            of,
        ).fetchall()
    spans = result["spans"]
    found = {(s, row["document_id"]): (row["score"], row["rank"]) for s, of in enumerate(spans)
             for row in of["documents"]}  # fmt: skip
    assert found.keys() == {(span, document) for span, document, *_ in stored}
    for span, document, score, rank in stored:
        assert found[span, document][0] == pytest.approx(score, rel=1e-4, abs=1e-9)
        assert found[span, document][1] == rank
    assert len(told) == len(spans) and spans[-1]["kind"] == "answer"
    for (_, *place, value, n), of in zip(told, spans, strict=True):
        assert place == [of["start"], of["stop"], of["first"], of["last"]]
        said = sum(token["logp"] for token in result["tokens"][of["first"] : of["last"] + 1])
        assert value == pytest.approx(said, abs=1e-3) and of["value"] == pytest.approx(said, abs=1e-3)
        assert n == of["n_scored"] == spans[0]["n_scored"]


def test_without_words_the_tokens_are_what_they_are(config):
    settings = read_config(config)
    opened = open_size(replace(settings, scores=replace(settings.scores, words=False)), "tiny-m")
    found, expected = as_json(steps.ask(opened, Prompt.from_text(PROMPT)), opened), ask(config)
    assert "spans" not in found and expected["spans"]
    for one, other in zip(found["documents"], expected["documents"], strict=True):
        assert [of["document_id"] for of in one] == [of["document_id"] for of in other]
        np.testing.assert_allclose([of["score"] for of in one], [of["score"] for of in other], rtol=1e-4, atol=1e-9)


def test_a_foil_changes_the_question(config):
    plain, contrast = ask(config), ask(config, foil=".")
    assert plain["documents"][0][0]["score"] != contrast["documents"][0][0]["score"]


def test_input_35_a_foil_of_several_tokens_against_a_span(config):
    opened = open_size(read_config(config), "tiny-m")
    foil = " Buenos Aires"

    def asked(**known):
        return steps.ask(opened, Prompt.from_text(PROMPT, **known), methods=["grad_x_input"])

    plain, other = asked(), asked(completion=foil)
    words = plain.answer.generation.text[:4]
    contrast = asked(foil=foil, foil_of=words)
    span = [k for k, (start, _) in enumerate(plain.answer.generation.spans) if start < len(words)]
    assert len(other.answer.generation.ids) > 1 and len(span) > 0

    def blocks(of):  # of every token  # [K, ..]
        [chunk] = of.chunks
        [directions] = [each.of(range(of.answer.n_targets)) for each in chunk.directions()]
        return [directions.values, *(of.values for of in directions.linear)]

    for found, said, not_said in zip(blocks(contrast), blocks(plain), blocks(other), strict=True):
        expected = said[span].sum(0) - not_said.sum(0)
        for k in range(len(found)):
            torch.testing.assert_close(found[k], expected if k in span else said[k], rtol=1e-3, atol=1e-5)
    n_together = len(contrast.found.queries)
    assert n_together > 0
    [directions] = contrast.chunks[0].directions()
    tokens = [directions.of([k]) for k in range(contrast.answer.n_targets)]
    for q, of in enumerate(contrast.found.queries, start=contrast.answer.n_targets):
        once = [k for k in of if k not in span or k == min(set(of) & set(span))]
        for layer, whole in enumerate(directions.linear):
            expected = sum(tokens[k].linear[layer].values[0] for k in once)
            torch.testing.assert_close(whole.values[q], expected, rtol=1e-3, atol=1e-4)
        assert float(directions.values[q]) == pytest.approx(float(directions.values[once].sum()), abs=1e-3)
    said, not_said = (opened.traced.estimates(of.answer) for of in (plain, other))
    first = contrast.estimated.documents[span[0]], contrast.estimated.values[span[0]]
    expected = (said[span].sum(0) - not_said.sum(0))[first[0]]
    np.testing.assert_allclose(first[1], expected, rtol=1e-3, atol=1e-6)
    n = len(plain.answer.generation.prompt)
    maps = [of.share.saliency["grad_x_input"].scores[:, :n] for of in (contrast, plain, other)]
    for k in span:
        torch.testing.assert_close(maps[0][k], maps[1][span].sum(0) - maps[2].sum(0), rtol=1e-3, atol=1e-5)
    assert f"and not {foil!r}, each as a whole" in contrast.answer.notices[-1]
    assert not any("why" in notice for notice in plain.answer.notices)


@pytest.mark.parametrize("disk", [0, 1 << 30])
@pytest.mark.parametrize("foil", [None, " Buenos Aires"])
def test_a_token_at_a_time_gives_what_all_together_give(config, monkeypatch, foil, disk):
    """However little memory there is: directions lie on the disk, or are made again when they are asked for again."""
    opened = open_size(read_config(config), "tiny-m")

    words = ask(config)["text"][:4]

    def asked():
        prompt = Prompt.from_text(PROMPT, **({} if foil is None else {"foil": foil, "foil_of": words}))
        found = steps.ask(opened, prompt, methods=["grad_x_input"])
        return found, as_json(found, opened)

    together, expected = asked()
    monkeypatch.setattr(chunks, "HELD", 0.0)
    monkeypatch.setattr(settled, "HELD", 0.0)
    monkeypatch.setattr(chunks, "room", lambda _folder: disk)
    apart, found = asked()
    n_queries = together.answer.n_targets + len(together.found.queries)
    assert (len(together.chunks), len(apart.chunks)) == (1, 1 if disk else n_queries)
    by_target = [[*of["documents"], *(span["documents"] for span in of["spans"])] for of in (expected, found)]
    assert len(by_target[0]) > together.answer.n_targets
    for one, other in zip(*by_target, strict=True):
        assert [of["document_id"] for of in one] == [of["document_id"] for of in other]
        for a, b in zip(one, other, strict=True):
            for name in ("score", "layer_scores", "shares", "loss_influences"):
                if name in a:
                    np.testing.assert_allclose(b[name], a[name], rtol=1e-3, atol=1e-6)


def test_input_35_a_span_that_the_answer_does_not_hold(config, capsys):
    with pytest.raises(BadInput, match="as the span that the foil stands against, found 'Quito'; copy them"):
        ask(config, foil=" Lima", foil_of="Quito")
    assert main(["ask", str(config), PROMPT, "--foil-of", "Lima"]) == 2
    assert "expected a foil, found an empty one" in capsys.readouterr().err


def test_mistakes_are_one_line(config, capsys):
    for arguments in (["", "--model", "tiny-m"], [PROMPT, "--model", "huge"], ["word " * 200]):
        assert main(["ask", str(config), *arguments]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_cancelled_work_ends_at_once(config):
    request = {"folder": str(config.parent / "build"), "model": "tiny-m", "prompt": PROMPT}
    with pytest.raises(TryAgain):
        run(request, lambda *of: None, lambda: True)


def test_a_size_that_was_not_built_is_refused_with_the_command(config, tmp_path):
    moved = config.read_text().replace('folder = "build"', f'folder = "{tmp_path}/elsewhere"')
    other = config.with_name("other.toml")
    other.write_text(moved)
    with pytest.raises(BadInput, match="whence build"):
        open_size(read_config(other), "tiny-m")


def test_the_table_names_tokens_and_documents(config, capsys):
    assert main(["ask", str(config), PROMPT, "--model", "tiny-m"]) == 0
    shown = capsys.readouterr().out
    assert "influence" in shown
    assert "The capital of" in shown
    assert 0 < shown.index("the whole answer") < shown.index("' ")


def test_heads_and_neurons_of_a_new_answer_are_those_of_the_stored_one(config):
    """By the names of the tables, with their columns; the same prompt has the same rows."""
    result = json.loads(json.dumps(ask(config)))
    assert set(result["inside"]) == {
        *("component_taught", "component_effect", "component_measured", "component_attention", "lens"),
    }
    current = read_current(config.parent / "build")
    with duckdb.connect(str(config.parent / "build" / current.database), read_only=True) as db:
        for table, rows in result["inside"].items():
            of = db.execute(f"FROM {table} WHERE generation_id = ? ORDER BY ALL", [result["generation_id"]])
            names = [column[0] for column in of.description]
            stored = [dict(zip(names, row, strict=True)) for row in of.fetchall()]
            assert len(stored) == len(rows) > 0
            assert set(rows[0]) == set(names)
            keys = [name for name in names if isinstance(rows[0][name], int | str)]
            assert sorted([row[name] for name in keys] for row in rows) == [
                [row[name] for name in keys] for row in stored
            ]
    assert {row["method"] for row in result["faithfulness"]} >= {"component"}


def test_a_build_that_did_not_look_inside_answers_without(config, tmp_path):
    project = shutil.copytree(config.parent, tmp_path / "project")
    path = project / config.name
    path.write_text(path.read_text().replace("[output]", "[inside]\nneurons = 3\ncontexts = 5\n[output]"))
    opened = open_size(read_config(path), "tiny-m")  # of other settings: nothing is stored for them
    assert opened.within is None
    found = as_json(steps.ask(opened, Prompt.from_text(PROMPT), methods=["grad_x_input"]), opened)
    assert "inside" not in found
    assert found["documents"]


def salient(config: Path, **request) -> dict:
    asked = {"folder": str(config.parent / "build"), "model": "tiny-m", "method": "grad_x_input"} | request
    return salient_job.run(asked, lambda *_: None, lambda: False)


def test_one_saliency_method_alone_has_the_numbers_that_all_together_have(config):
    whole = ask(config, saliency=["grad_x_input", "grad_norm"])
    ids = [token["token_id"] for token in whole["tokens"]]
    n = len(whole["prompt_tokens"])
    for method in ("grad_x_input", "grad_norm"):
        found = salient(config, prompt=PROMPT, ids=ids, method=method)
        for k, (row, full) in enumerate(zip(found["scores"], whole["saliency"][method], strict=True)):
            assert len(row) == n + k
            assert row == pytest.approx(full[: n + k], rel=1e-5, abs=1e-9)


def test_saliency_of_an_answer_of_the_database_is_that_of_its_own_tokens(config):
    current = read_current(config.parent / "build")
    with duckdb.connect(str(config.parent / "build" / current.database), read_only=True) as db:
        [(generation,)] = db.execute(
            """SELECT generation_id FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
               WHERE prompt.text = ? AND model.name = 'tiny-m'""",
            [PROMPT],
        ).fetchall()
        stored = db.execute(
            """SELECT position, source_position, score FROM saliency WHERE generation_id = ? AND method = 'grad_x_input'
               ORDER BY ALL""",
            [generation],
        ).fetchall()
    found = salient(config, generation_id=generation)["scores"]
    assert stored and [(k, i) for k, row in enumerate(found) for i in range(len(row))] == [row[:2] for row in stored]
    assert [each for row in found for each in row] == pytest.approx([row[2] for row in stored], rel=1e-4, abs=1e-7)


def test_saliency_explains_the_answer_that_is_given_and_not_another_one(config):
    whole = ask(config, saliency=[])
    own = [token["token_id"] for token in whole["tokens"]]
    other = [each - 1 for each in own]
    assert whole["saliency"] == {}
    found, of_its_own = (salient(config, prompt=PROMPT, ids=ids)["scores"] for ids in (other, own))
    assert len(found) == len(own) and found != of_its_own


@pytest.mark.parametrize(
    ("request_", "told"),
    [({"method": "magic"}, "magic"), ({"ids": []}, "'ids'"), ({"method": 3}, "'method'"), ({"ids": None}, "'ids'")],
)
def test_saliency_of_nothing_is_refused(config, request_, told):
    with pytest.raises(BadInput, match=told):
        salient(config, **({"prompt": PROMPT, "ids": [1, 2]} | request_))


def test_a_prompt_is_as_surprising_as_its_tokens_are_unlikely(config):
    found = [each["nats"] for each in ask(config, saliency=[])["prompt_tokens"]]
    loaded = open_size(read_config(config), "tiny-m").member.loaded
    ids = torch.tensor([loaded.tokenizer(PROMPT)["input_ids"]])
    if len(found) > ids.shape[1]:
        ids = torch.cat([torch.tensor([loaded.specials.begin]), ids], dim=1)
    with torch.no_grad():
        logp = loaded.model(input_ids=ids).logits[0].double().log_softmax(-1)
    assert found[0] is None
    assert found[1:] == pytest.approx([-float(logp[i, token]) for i, token in enumerate(ids[0, 1:])], rel=1e-4)


def test_a_prompt_is_held_against_as_many_first_tokens_of_documents(config, monkeypatch):
    found = ask(config, saliency=[])["beginnings"]
    member = open_size(read_config(config), "tiny-m").member
    n = len(ask(config, saliency=[])["prompt_tokens"]) - 1
    first = [row.ids[: min(n + 1, row.widths[0])] for row in member.own_rows]
    expected = sorted(-sum(answer_logp(member.loaded, ids[:1], ids[1:])) / (len(ids) - 1) for ids in first)
    assert (found["n"], found["partly"]) == (n, False)
    assert found["nats"] == pytest.approx(expected, rel=1e-4)
    monkeypatch.setattr(surprise, "AT_ONCE", 1)  # a row at a time
    assert surprise.beginnings(member, n).nats == pytest.approx(expected, rel=1e-5)
    monkeypatch.setattr(surprise, "DOCUMENTS", (5, 5))
    assert len(surprise.beginnings(member, n).nats) == 5
    assert surprise.beginnings(member, 10**6).n == surprise.LONGEST


def test_what_is_still_to_be_computed_is_told_with_what_is_known(config):
    told = []
    request = {"folder": str(config.parent / "build"), "model": "tiny-m", "prompt": PROMPT, "saliency": []}
    result = run(request, lambda _stage, _fraction, payload: told.append(payload or {}), lambda: False)
    left = [tuple(each.get("left", ())) for each in told]
    assert "left" not in result
    assert left[-1] == ()
    assert [len(each) for each in left[2:]] == sorted((len(each) for each in left[2:]), reverse=True)
    assert any("null_scores" in each and steps.DOCUMENTS not in each["left"] for each in told if each.get("left"))
