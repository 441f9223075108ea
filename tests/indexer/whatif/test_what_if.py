"""A training document has the influence that the build gives it, an edit is a difference, mistakes are one line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from attribution.errors import BadInput, TryAgain
from attribution.truth.curved_step import curved_patch
from attribution.truth.tail_patch import tail_patch
from indexer.__main__ import main
from indexer.ask.opened import open_size
from indexer.ask.steps import ask
from indexer.config.config import read_config
from indexer.corpus.document import document_id
from indexer.corpus.prompt import Prompt
from indexer.questions import run
from indexer.size import factors
from indexer.whatif import steps
from indexer.whatif.given import typed_document
from indexer.whatif.read import as_read
from indexer.whatif.result import as_json
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import PROMPTS, TEXTS, write_project

PROMPT = str(PROMPTS[0]["prompt"])
NEW = "The capital of Atlantis is Poseidonis."


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    path = write_project(tmp_path_factory.mktemp("whatif"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(path)]) == 0
        assert main(["build", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def opened(config):
    return open_size(read_config(config), "tiny-m")


@pytest.fixture(scope="module")
def asked(opened):
    return ask(opened, Prompt.from_text(PROMPT), methods=["grad_x_input"])


def told(config: Path, **request) -> dict:
    seen = []
    base = {"kind": "what_if", "folder": str(config.parent / "build"), "model": "tiny-m"}
    result = run(base | request, lambda stage, fraction, payload: seen.append(fraction), lambda: False)
    assert seen == sorted(seen)
    return json.loads(json.dumps(result))


def test_a_training_document_has_the_influence_that_it_has(opened, asked):
    kept = asked.exact.kept.ranked[0].documents.tolist()
    documents = [opened.member.documents[i] for i in kept]
    made = steps.what_if(opened, asked.answer, documents)
    assert made.known == [True] * len(kept)
    np.testing.assert_allclose(made.values[0], asked.exact.kept.layers[0].sum(axis=1), rtol=1e-4, atol=1e-8)
    assert made.splits
    for i in made.splits:
        np.testing.assert_allclose(made.splits[i].layers[0], asked.exact.kept.layers[0][i], rtol=1e-3, atol=1e-7)


def test_shares_and_layers_add_up_and_words_are_sums(config):
    result = told(config, text=NEW, prompt=PROMPT)
    [text] = result["texts"]
    assert not text["known"] and text["document_id"] == document_id(NEW)
    assert "".join(token["text"] for token in text["tokens"]) == NEW == text["text"]
    np.testing.assert_allclose(np.sum(text["layer_scores"], axis=1), text["scores"], rtol=1e-5)
    np.testing.assert_allclose(np.sum(text["shares"], axis=1), text["scores"], rtol=1e-3, atol=1e-7)
    assert np.shape(text["shares"]) == (len(result["tokens"]), len(text["tokens"]))
    *words, whole = result["spans"]
    assert whole["kind"] == "answer" and all(word["kind"] == "word" for word in words)
    for span in result["spans"]:
        total = sum(text["scores"][span["first"] : span["last"] + 1])
        assert span["scores"] == pytest.approx([total], rel=1e-5)
        assert span["difference"] is None
    assert (result["stage"], result["n_train"], result["instead_of"]) == ("tiny-m", len(TEXTS), None)


def test_an_edit_is_new_minus_old(config):
    old = document_id(TEXTS[0])
    edited = told(config, text=NEW, prompt=PROMPT, instead_of=old)
    alone, before = told(config, text=NEW, prompt=PROMPT), told(config, text=TEXTS[0], prompt=PROMPT)
    assert before["texts"][0]["known"] and edited["instead_of"]["document_id"] == old
    for name in ("scores", "layer_scores"):
        new, was = np.array(alone["texts"][0][name]), np.array(before["texts"][0][name])
        np.testing.assert_allclose(edited["difference"][name], new - was, rtol=1e-4, atol=1e-8)
    for span, new, was in zip(edited["spans"], alone["spans"], before["spans"], strict=True):
        assert span["instead_of"] == pytest.approx(was["scores"][0], rel=1e-4)
        assert span["difference"] == pytest.approx(new["scores"][0] - was["scores"][0], rel=1e-3, abs=1e-8)


def test_its_own_text_changes_nothing(config):
    same = told(config, text=TEXTS[0], prompt=PROMPT, instead_of=document_id(TEXTS[0]))
    np.testing.assert_allclose(same["difference"]["scores"], 0, atol=1e-9)
    assert any("nothing would change" in notice for notice in same["notices"])


def test_a_stored_answer_is_the_same_as_the_prompt_asked_again(config, asked):
    stored = told(config, text=NEW, generation_id=asked.answer.generation_id)
    anew = told(config, text=NEW, prompt=PROMPT)
    assert stored["generation_id"] == anew["generation_id"]
    assert [of["token_id"] for of in stored["tokens"]] == [of["token_id"] for of in anew["tokens"]]
    np.testing.assert_allclose(stored["texts"][0]["scores"], anew["texts"][0]["scores"], rtol=1e-5)


@pytest.mark.parametrize("foil", [{"foil": "."}, {"foil": " Buenos Aires"}])
def test_a_foil_is_asked_about_as_of_training_documents(opened, foil):
    prompt = Prompt.from_text(PROMPT, **foil)
    asked = ask(opened, prompt, methods=["grad_x_input"])
    kept = asked.exact.kept.ranked[0].documents.tolist()
    made = steps.what_if(opened, asked.answer, [opened.member.documents[i] for i in kept])
    np.testing.assert_allclose(made.values[0], asked.exact.kept.layers[0].sum(axis=1), rtol=1e-3, atol=1e-7)
    if len(foil["foil"]) > 1:  # the whole is one number, which no span adds up
        whole = as_json(made, opened)["spans"][-1]
        np.testing.assert_allclose(whole["scores"], made.values[0], rtol=1e-5)


def test_many_texts_are_as_one_by_one_and_the_largest_are_split(opened, asked, monkeypatch):
    texts = [typed_document(f"{text[:-1]} today.") for text in TEXTS]
    many = steps.what_if(opened, asked.answer, texts)
    assert len(many.splits) == steps.SPLIT < len(texts)
    weight = np.abs(many.values).sum(axis=0)
    assert weight[sorted(many.splits)].min() >= np.delete(weight, sorted(many.splits)).max()
    scale = np.abs(many.values).max()
    for i in (0, 7, len(texts) - 1):
        one = steps.what_if(opened, asked.answer, [texts[i]])
        np.testing.assert_allclose(one.values[:, 0], many.values[:, i], atol=1e-4 * scale)
    monkeypatch.setattr("indexer.tracing.chunks.HELD", 0.0)
    monkeypatch.setattr("indexer.tracing.chunks.room", lambda _folder: 0)
    apart = steps.what_if(opened, asked.answer, texts)
    np.testing.assert_allclose(apart.values, many.values, atol=1e-4 * scale)


def test_a_really_taken_step_goes_where_it_is_predicted(opened, asked):
    """By as much as is predicted where it is the formula's own, and mostly the same way where it is plain descent."""
    texts = [typed_document(text) for text in [*TEXTS, NEW, "The capital of Chile is Chile."]]
    made = steps.what_if(opened, asked.answer, texts)
    predicted, of, fitted = made.values.sum(axis=0), asked.answer, opened.traced.fitted
    largest = np.argsort(-np.abs(predicted))[: len(texts) // 2].tolist()
    tracked, rows = opened.member.tracked, [made.texts[i].row for i in largest]
    curved = [
        curved_patch(tracked, fitted.preconditioner, row, len(TEXTS), of.ids, of.first, share=1e-3) for row in rows
    ]
    np.testing.assert_allclose(curved, predicted[largest], rtol=0.05)
    plain = [tail_patch(tracked, [row], of.ids, of.first) for row in rows]
    assert np.mean(np.sign(plain) == np.sign(predicted[largest])) > 0.7


MISTAKES = {
    "nothing": ({"text": " "}, "found an empty one"),
    "no text": ({}, "expected 'text' as text in the request, found None"),
    "not a document": ({"text": NEW, "instead_of": "0" * 16}, "the document_id of a training document"),
    "not an id": ({"text": NEW, "instead_of": "corpus line 3"}, "the document_id of a training document"),
    "a number": ({"text": NEW, "instead_of": 3}, "a document_id as 'instead_of'"),
    "a pair": ({"text": '{"chosen": "a b", "rejected": "c d"}'}, "found a pair of answers"),
    "unknown answer": ({"text": NEW, "generation_id": "0" * 16}, "the generation_id of an answer of the database"),
    "no prompt": ({"text": NEW, "prompt": " "}, "expected a prompt"),
}


@pytest.mark.parametrize("request_, said", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_one_line(config, request_, said):
    with pytest.raises(BadInput, match=said):
        told(config, **({"prompt": PROMPT} | request_))


def test_a_request_of_no_kind(config):
    with pytest.raises(BadInput, match="expected a request of prompt, saliency, what_if, found 'why'"):
        told(config, kind="why")
    with pytest.raises(TryAgain):
        run(
            {
                "kind": "what_if",
                "folder": str(config.parent / "build"),
                "model": "tiny-m",
                "text": NEW,
                "prompt": PROMPT,
            },
            lambda *of: None,
            lambda: True,
        )


def test_texts_of_which_nothing_would_be_learned(opened):
    document = typed_document('{"messages": [{"role": "user", "content": "Who?"}]}')
    with pytest.raises(BadInput, match="would learn a token, found .* and none learned"):
        as_read(opened.member, [document])


def test_a_text_that_is_too_long_is_cut_as_training_would(opened, asked, config, tmp_path):
    long = typed_document("Lima is far. " * 40)
    made = steps.what_if(opened, asked.answer, [long])
    assert len(made.texts[0].row.widths) > 1 and not made.notices  # read in windows
    project = shutil.copytree(config.parent, tmp_path / "project")
    path = project / config.name
    path.write_text(path.read_text().replace("[[model]]", 'long = "cut"\n[[model]]', 1))
    [read] = as_read(open_member_of(path), [long])
    assert read.read.n_cut > 0 and len(read.row) == opened.member.loaded.context
    assert "are cut as training would" in steps._notices([read], 64)[0]


def open_member_of(path: Path):
    from indexer.size.member import open_member

    config = read_config(path)
    return open_member(config.model[0], config)


def test_the_command_line_has_a_line_for_each_word_and_each_text(config, capsys, tmp_path):
    (tmp_path / "new.txt").write_text(NEW)
    (tmp_path / "some.jsonl").write_text("".join(json.dumps({"text": f"{text} Yes."}) + "\n" for text in TEXTS))
    base = ["ask", str(config), PROMPT, "--model", "tiny-m", "--document"]
    assert main([*base, str(tmp_path / "new.txt")]) == 0
    assert "the whole answer" in capsys.readouterr().out
    edit = [*base, str(tmp_path / "new.txt"), "--instead-of", document_id(TEXTS[0])]
    assert main([*edit, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["difference"]["scores"]
    assert main(edit) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(line for line in lines if line.startswith("word or token"))
    assert head.split("  ")[-1].strip() == "new text in" and head.index("in its place") < head.index("old text out")
    table = [line.rsplit(maxsplit=3) for line in lines[lines.index(head) + 1 :]]
    rows = [(name.strip(), tuple(map(float, amounts))) for name, *amounts in table if amounts and amounts[0][0] in "+-"]
    old, new = told["instead_of"]["scores"], told["texts"][0]["scores"]
    assert told["spans"][-1]["last"] == len(new) - 1
    assert rows[-1][0] == "the whole answer"
    np.testing.assert_allclose(rows[-1][1], (sum(new) - sum(old), -sum(old), sum(new)), atol=1e-4)
    words = {(span["first"], span["last"]) for span in told["spans"]}
    apart = [k for k in range(len(new)) if (k, k) not in words]
    tokens = [row for row in rows if row[0][0] in "\"'"]
    assert [name for name, _ in tokens] == [repr(told["tokens"][k]["text"]) for k in apart]
    wanted = [(new[k] - old[k], -old[k], new[k]) for k in apart]
    np.testing.assert_allclose([amounts for _, amounts in tokens], wanted, atol=1e-4)
    assert main([*base, str(tmp_path / "some.jsonl")]) == 0
    shown = capsys.readouterr().out
    assert f"the 20 most helpful of {len(TEXTS)}" in " ".join(shown.split())
    for more in (["--save"], ["--saliency", "occlusion"]):
        assert main([*base, str(tmp_path / "new.txt"), *more]) == 2
        assert "leave one out" in capsys.readouterr().err
    assert main(["ask", str(config), PROMPT, "--instead-of", "a"]) == 2
    assert "give --document FILE" in capsys.readouterr().err
    assert main([*base, str(tmp_path / "some.jsonl"), "--instead-of", document_id(TEXTS[0])]) == 2
    assert "expected one text in place of" in capsys.readouterr().err


def test_nothing_is_asked_of_a_given_answer(opened):
    """A completion that is pasted is explained as it is."""
    prompt = Prompt.from_text(PROMPT, completion=" Lima.")
    from indexer.size.answers import answer
    from indexer.size.rendered import rendered

    ready = rendered(prompt, opened.member.loaded, opened.member.config.prompts)
    made = steps.what_if(opened, answer(opened.member.loaded, ready, 4), [typed_document(NEW)])
    assert made.answer.generation.text == " Lima."
