"""A build without influence over prompts of every shape: what the prompt did is stored, and fitted again from rows."""

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from attribution.errors import BadInput
from attribution.model.sequence import encode_prompt
from attribution.prompt.context.ablated import ablate
from attribution.prompt.context.bits import prompt_bits
from attribution.prompt.context.contextcite import fit, half_masks, sources
from attribution.prompt.saliency.method import computed
from attribution.prompt.saliency.saliency import saliency
from attribution.prompt.stored import sentence_scores, span_scores, stored_ablations
from indexer.__main__ import main
from indexer.ask.job import run
from indexer.config.config import read_config
from indexer.corpus.prompt_file import read_prompts
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.size.answers import answer
from indexer.size.member import open_member
from indexer.size.rendered import rendered
from tests.tiny_family import CONFIG, write_project

DOCS = [{"title": "Peru", "text": "The capital of Peru is Lima."}, {"text": "People in Cuba pay in the peso. 🤖"}]
PROMPTS = [
    {"question": "What is the capital of Peru?", "docs": [*DOCS, {"text": " "}], "answer": "Lima"},
    {"question": "And now?", "docs": DOCS, "output": "Lima. It is Lima."},
    {"messages": [{"role": "user", "content": "The capital of Peru?"}]},
    {"prompt": "The capital of Peru is", "foil": "."},
    {"prompt": "The capital of Cuba is", "foil": " Lima", "foil_of": "Quito 🤖"},  # which no size writes
]


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    path = write_project(tmp_path_factory.mktemp("prompts"), prompts=PROMPTS)
    small = CONFIG[: CONFIG.index("[[model]]")] + CONFIG[CONFIG.index('[[model]]\nname = "tiny-s"') :]
    path.write_text(
        small.replace("context = 64", "context = 400").replace("[scores]", "[scores]\nmethod = []"), encoding="utf-8"
    )
    assert main(["train", str(path)]) == 0
    assert main(["build", str(path)]) == 0
    return path


def rows(config: Path, sql: str, *values: object) -> list[dict]:
    folder = config.parent / "build"
    with duckdb.connect(str(folder / read_current(folder).database), read_only=True) as db:
        found = db.execute(sql, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def answers(config):
    settings = read_config(config)
    member = open_member(settings.model[0], settings)
    read = [rendered(prompt, member.loaded, settings.prompts) for prompt in read_prompts(settings.prompts.file)]
    return member.loaded, [answer(member.loaded, prompt, 4) for prompt in read]


def test_a_build_without_influence_is_whole(config, capsys):
    assert check(config.parent / "build") == []
    assert rows(config, "SELECT count(*) AS n FROM generation") == [{"n": len(PROMPTS)}]
    for table in ("run", "influence", "target", "self_influence"):
        assert rows(config, f"SELECT count(*) AS n FROM {table}") == [{"n": 0}], table  # noqa: S608
    assert main(["build", str(config)]) == 0
    assert "1 of 1" in (said := capsys.readouterr().err) or "0 of 1" in said


def test_input_36_notices_of_prompt_and_answer_are_kept(config):
    [prompt] = rows(config, "SELECT notice FROM prompt WHERE text LIKE '%the capital of Peru?%' AND kind = 'retrieval'")
    assert prompt["notice"] == "document 3 is empty and was left out"
    told = sorted(row["notice"] for row in rows(config, "SELECT notice FROM generation WHERE notice <> ''"))
    assert told[0].startswith("prompt and answer are joined as written, without a space between them: ")
    # a foil of the prompt file is the saliency's alone, and named so
    assert told[1:] == [
        "the foil ' Lima' stands against 'Quito 🤖', which this answer does not hold: nothing is contrasted",
        "the foil '.' is contrasted in the prompt's saliency; influence explains log p of each token",
    ]


def test_stored_bits_and_divergences(config, answers):
    loaded, made = answers
    for each in made:
        bits = prompt_bits(
            loaded.model, each.generation.prompt.ids, each.of_token, each.prompt.parts, each.generation.ids
        )
        found = rows(
            config, "SELECT * FROM generation_token WHERE generation_id = ? ORDER BY position", each.generation_id
        )
        expected = {
            **{f"bits_{name}": getattr(bits, name) for name in ("nothing", "question", "documents", "full")},
            **{"js_context": bits.js, "kl_reversed": bits.kl_reversed, "kl_context": bits.kl},
            "foil_logp": bits.foil_logp,
        }
        for name, of in expected.items():
            np.testing.assert_allclose([row[name] for row in found], of.numpy(), rtol=1e-4, atol=1e-6, err_msg=name)
        assert [row["foil_id"] for row in found] == list(bits.foil_ids)
        for row in found:
            total = row["bits_question"] + row["bits_documents"] + row["bits_full"]
            assert abs(row["bits_nothing"] - total) < 1e-6


def test_any_span_is_fitted_from_stored_rows_as_from_the_model(config, answers):
    loaded, made = answers
    given = made[1]
    found = rows(config, "SELECT * FROM ablation WHERE generation_id = ? ORDER BY number", given.generation_id)
    stored = stored_ablations(found)
    of_sentences = {"sentences_half": 8, "sentences_single": 4}  # one document has two
    of_documents = {"half": 4, "single": 3, "all": 4}
    assert {design: len(each.masks) for design, each in stored.items()} == of_documents | of_sentences
    prompt = given.generation.prompt.ids
    fresh = ablate(
        loaded.model, prompt, sources(given.of_token, given.prompt.parts), given.generation.ids, half_masks(2)
    )
    for span in (None, [0], [1, 2]):
        scores = span_scores(stored, span)
        assert set(scores) == {"contextcite", "leave_one_out", "shapley_documents"}
        np.testing.assert_allclose(scores["contextcite"], fit(fresh, span).weights, rtol=1e-5, atol=1e-6)
    assert span_scores({}) == {}
    # the first document is its one sentence, and to leave it out the same as to leave that out
    for span in (None, [0], [1, 2]):
        whole, inside = span_scores(stored, span), sentence_scores(stored, span)
        assert set(inside) == {"contextcite", "leave_one_out"} and len(inside["contextcite"]) == 3
        np.testing.assert_allclose(inside["leave_one_out"][0], whole["leave_one_out"][0], rtol=1e-6)


def test_cues_are_stored_for_every_token_so_that_thresholds_need_no_model(config, answers):
    _, made = answers
    for each in made[:2]:
        found = rows(
            config,
            """SELECT method, count(*) AS n, max(source_position) AS last FROM saliency
               WHERE generation_id = ? AND starts_with(method, 'mirage') GROUP BY method ORDER BY method""",
            each.generation_id,
        )
        n_prompt = len(each.generation.prompt.ids)
        assert [row["method"] for row in found] == ["mirage_grad_x_input", "mirage_norm"]
        assert all((row["n"], row["last"]) == (n_prompt * each.n_targets, n_prompt - 1) for row in found)
    parts = rows(config, "SELECT DISTINCT part, kind FROM prompt_token JOIN prompt_part USING (prompt_id, part)")
    assert {"document", "question", "scaffold"} <= {row["kind"] for row in parts}


def test_a_named_foil_is_contrasted(config, answers):
    loaded, made = answers
    plain = made[3]
    found = rows(
        config,
        """SELECT score FROM saliency WHERE generation_id = ? AND method = 'grad_x_input_contrast' AND position = 0
           ORDER BY source_position""",
        plain.generation_id,
    )
    ids = plain.generation.ids
    [foil] = loaded.tokenizer(".", add_special_tokens=False)["input_ids"]
    expected = saliency(loaded.model, plain.generation.prompt.ids, ids, "grad_x_input", foil_ids=[foil] * len(ids))
    n = len(plain.generation.prompt.ids)
    np.testing.assert_allclose([row["score"] for row in found], expected.scores[0, :n].numpy(), rtol=1e-4, atol=1e-6)


def test_another_span_or_text_of_a_foil_is_computed_anew(config, tmp_path):
    project = shutil.copytree(config.parent, tmp_path / "project")
    line = {"prompt": "The capital of Peru is", "completion": " Lima. It", "foil": " Puno"}

    def built(**given: str) -> tuple[list[float], str]:
        (project / "prompts.jsonl").write_text(json.dumps(line | given) + "\n", encoding="utf-8")
        assert main(["build", str(project / config.name)]) == 0
        found = rows(
            project / config.name,
            """SELECT score, g.notice FROM saliency JOIN generation g USING (generation_id)
               WHERE method = 'grad_x_input_contrast' AND position = 1 ORDER BY source_position""",
        )
        return [row["score"] for row in found], found[0]["notice"]

    whole, told = built()
    part, _ = built(foil_of="Lima")
    assert len(part) == len(whole) and not np.allclose(part, whole)
    assert "the foil ' Puno' is contrasted" in told
    assert "the foil ' Cusco' is contrasted" in built(foil=" Cusco")[1]


def test_words_that_a_size_did_not_write_are_not_contrasted(config, answers):
    of, counted = answers[1][4].generation_id, "SELECT count(*) AS n FROM saliency WHERE generation_id = ?"
    assert rows(config, f"{counted} AND method = 'grad_x_input'", of) != [{"n": 0}]
    assert rows(config, f"{counted} AND ends_with(method, '_contrast')", of) == [{"n": 0}]
    with pytest.raises(BadInput, match="as the span that the foil stands against, found 'Quito 🤖'; copy them"):
        ask(config, prompt="The capital of Cuba is", foil=" Lima", foil_of="Quito 🤖")


def test_faithfulness_stands_beside_every_attribution(config, answers):
    _, made = answers
    kept = rows(config, "SELECT DISTINCT method FROM saliency WHERE generation_id = ?", made[1].generation_id)
    kept += rows(config, "SELECT DISTINCT method FROM citation WHERE generation_id = ?", made[1].generation_id)
    measured = rows(config, "SELECT * FROM faithfulness WHERE generation_id = ?", made[1].generation_id)
    assert {row["method"] for row in kept} <= {row["method"] for row in measured}
    assert {"comprehensiveness", "sufficiency", "top_drop", "prediction"} <= {row["metric"] for row in measured}
    sanity = rows(config, "SELECT method, value FROM evaluation WHERE metric = 'sanity'")
    assert {row["method"] for row in sanity} == {"grad_x_input", "grad_norm", "occlusion", "attention"}
    assert all(-1 <= row["value"] <= 1 for row in sanity)


def test_at_most_three_citations_of_a_sentence(config):
    found = rows(
        config,
        "SELECT max(n) AS most FROM (SELECT count(*) AS n FROM citation GROUP BY generation_id, sentence, method)",
    )
    assert found[0]["most"] <= 3


def ask(config: Path, **request) -> dict:
    asked = {"folder": str(config.parent / "build"), "model": "tiny-s"} | request
    return json.loads(json.dumps(run(asked, lambda *of: None, lambda: False)))


def test_a_new_question_takes_the_same_road(config, answers):
    _, made = answers
    result = ask(config, question=PROMPTS[1]["question"], docs=DOCS, output=PROMPTS[1]["output"])
    assert result["generation_id"] == made[1].generation_id
    assert result["notices"] == ["prompt and answer are joined as written, without a space between them: Answer:|Lima."]
    stored = rows(config, "SELECT * FROM ablation WHERE generation_id = ? ORDER BY number", made[1].generation_id)
    again = span_scores(stored_ablations(result["ablation"]))
    for method, scores in span_scores(stored_ablations(stored)).items():
        np.testing.assert_allclose(again[method], scores, rtol=1e-5, atol=1e-6)
    live = sentence_scores(stored_ablations(result["ablation"]))
    for method, scores in sentence_scores(stored_ablations(stored)).items():
        np.testing.assert_allclose(live[method], scores, rtol=1e-5, atol=1e-6)
    cited = {(row["method"], row["sentence"], row["part"]) for row in result["citation"]}
    kept = rows(config, "SELECT method, sentence, part FROM citation WHERE generation_id = ?", made[1].generation_id)
    assert cited == {(row["method"], row["sentence"], row["part"]) for row in kept}
    assert "documents" not in result


@pytest.mark.parametrize("method", computed())
def test_every_method_is_there_on_demand_with_and_without_a_foil(config, method):
    plain, against = (
        ask(config, prompt="The capital of Cuba is", saliency=[method], foil=foil)["saliency"] for foil in (None, ".")
    )
    assert list(plain) == list(against) == [method]
    assert (plain == against) == (not computed()[method].explains)


def test_mistakes_in_a_request_are_told(config):
    with pytest.raises(BadInput, match="expected a saliency method"):
        ask(config, prompt="Hello", saliency=["magic"])
    with pytest.raises(BadInput, match="names of methods"):
        ask(config, prompt="Hello", saliency="attention")
    with pytest.raises(BadInput, match="prompt 'Hello'.*expected a foil, found an empty one"):
        ask(config, prompt="Hello", foil="")


def test_the_command_line_takes_a_line_of_a_prompt_file(config, capsys):
    assert main(["ask", str(config), json.dumps(PROMPTS[0])]) == 0
    shown = capsys.readouterr().out
    assert "notice: document 3 is empty and was left out" in shown and "leave_one_out" in shown and "Peru" in shown
    assert main(["ask", str(config), '{"question": ']) == 2
    assert "expected JSON" in capsys.readouterr().err


def test_it_is_planned_without_factors(config, capsys):
    assert main(["plan", str(config)]) == 0
    shown = capsys.readouterr().out
    assert "answers" in shown and "factors" not in shown and "in all: about" in shown
    assert main(["evaluate", str(config)]) == 2
    assert "expected a method in tiny.toml, scores" in capsys.readouterr().err


def test_room_is_left_for_the_answer(config):
    long = ask(config, question="Which?", docs=[{"text": "word " * 5000}])
    assert long["notices"][0].startswith("document 1 cut from 25,000 to ")
    assert len(long["prompt_tokens"]) + len(long["tokens"]) <= 400
    member = open_member(read_config(config).model[0], read_config(config))
    assert len(encode_prompt(long["prompt"], member.loaded.tokenizer, 400)) == len(long["prompt_tokens"])
