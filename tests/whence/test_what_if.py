"""What if and verbatim spans from Python: what the command prints, as tables."""

from pathlib import Path

import numpy as np
import pytest

import whence
from indexer.corpus.document import document_id
from tests.tiny_family import PROMPTS, TEXTS, write_lines
from whence.answer import Answer
from whence.runs import Runs

NEW = "The capital of Atlantis is Poseidonis."


@pytest.fixture
def opened(demo: Path) -> Runs:
    return whence.open(demo / "data" / "demo" / "build")


def test_an_edit_as_tables(opened: Runs) -> None:
    generation_id = opened.answers(model="tiny-m")["generation_id"][0]
    made = opened.what_if(NEW, generation_id=generation_id, instead_of=document_id(TEXTS[0]))
    [text] = made.texts.to_dict("records")
    assert (text["document_id"], text["known"], made.stage) == (document_id(NEW), False, "tiny-m")
    tokens, words, shares = made.tokens(), made.words(), made.shares()
    assert list(words["kind"])[-1] == "answer"
    np.testing.assert_allclose(tokens["difference"], tokens["influence"] - tokens["instead_of"], atol=1e-6)
    last = words.iloc[-1]
    of_answer = tokens["influence"][last["first"] : last["last"] + 1]
    assert last["influence"] == pytest.approx(of_answer.sum(), rel=1e-4) == pytest.approx(text["influence"])
    np.testing.assert_allclose(shares["share"].sum(), tokens["influence"].sum(), rtol=1e-3, atol=1e-6)
    assert "".join(shares["text"]) == NEW
    np.testing.assert_allclose(made.shares(0)["share"].sum(), tokens["influence"][0], rtol=1e-3, atol=1e-6)


def test_several_texts_and_a_file(opened: Runs, tmp_path: Path) -> None:
    prompt = str(PROMPTS[0]["prompt"])
    texts = [f"{text} Yes." for text in TEXTS[:12]]
    write_lines(tmp_path / "some.jsonl", [{"text": text} for text in texts])
    listed = opened.what_if(texts, prompt)
    assert listed.model == "tiny-m"  # the first of the configuration, as `ask`
    of_file = opened.what_if(tmp_path / "some.jsonl", prompt)
    np.testing.assert_allclose(of_file.texts["influence"], listed.texts["influence"], rtol=1e-5)
    assert listed.tokens()["difference"].isna().all()
    unsplit = next(i for i, of in enumerate(listed.result["texts"]) if "shares" not in of)
    with pytest.raises(whence.BadInput, match="ask it alone"):
        listed.shares(number=unsplit)


@pytest.mark.parametrize(
    "of, said",
    [
        ({"texts": NEW}, "expected a prompt, or the generation_id"),
        ({"texts": NEW, "prompt": "a", "generation_id": "b"}, "generation_id"),
        ({"texts": " ", "prompt": "a"}, "found an empty one"),
        ({"texts": NEW, "prompt": "The capital of Peru is", "instead_of": "x"}, "training document to replace"),
    ],
)
def test_mistakes_are_one_line(opened: Runs, of: dict[str, str], said: str) -> None:
    with pytest.raises(whence.BadInput, match=said) as found:
        opened.what_if(**of)  # type: ignore[arg-type]
    assert "\n" not in str(found.value)


def test_a_text_and_a_token_that_are_not_there(opened: Runs) -> None:
    made = opened.what_if(NEW, "The capital of Peru is")
    with pytest.raises(whence.BadInput, match="expected a text from 0 to 0"):
        made.tokens(1)
    with pytest.raises(whence.BadInput, match="expected a token from 0 to"):
        made.shares((2, 99))


def test_verbatim_spans_are_words_of_both(opened: Runs) -> None:
    asked = opened.ask('{"prompt": "So:", "completion": " The capital of Peru is Lima."}', model="tiny-m")
    found = asked.verbatim
    assert len(found) > 0
    for row in found.to_dict("records"):
        assert row["text"] == asked.text[slice(*_characters(asked, row))]
        assert row["n_documents"] <= row["n_places"]
        assert all(len(place) == 2 for place in row["places"])
    stored = opened.answer(opened.answers(model="tiny-m")["generation_id"][0])
    assert list(stored.verbatim.columns) == list(found.columns)


def _characters(asked: Answer, row: dict[str, int]) -> tuple[int, int]:
    return int(asked.tokens["start"][row["first"]]), int(asked.tokens["stop"][row["last"]])
