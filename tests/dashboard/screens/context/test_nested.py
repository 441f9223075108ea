"""Sentences of the prompt's documents on Context, from stored rows; against sums over the prompts without them."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from attribution.prompt.stored import DocumentSentence
from dashboard.screens.context.nested import sources_of
from indexer.database.reader import Snapshot
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]
PROMPT = "One. Two.\nThree."
SENTENCES = [DocumentSentence(4, 0, 4), DocumentSentence(4, 4, 10), DocumentSentence(6, 10, 16)]


def test_shares_are_parts_of_what_all_sentences_gave() -> None:
    owed = {"contextcite": np.array([3.0, -2.0, 1.0]), "leave_one_out": np.array([0.5, 0.0, 0.25])}
    found = sources_of(PROMPT, SENTENCES, owed)
    assert {part: [PROMPT[each.start : each.stop] for each in of] for part, of in found.items()} == {
        4: ["One.", "Two."],
        6: ["Three."],
    }
    assert [each.share for of in found.values() for each in of] == [0.75, 0.0, 0.25]
    assert found[6][0].nats == {"contextcite": 1.0, "leave_one_out": 0.25}


def test_nothing_is_owed_to_sentences_that_were_not_left_out() -> None:
    assert sources_of(PROMPT, SENTENCES, {}) == {}
    none = sources_of(PROMPT, SENTENCES, {"contextcite": np.array([0.0, -1.0, 0.0])})
    assert [each.share for of in none.values() for each in of] == [0, 0, 0]


@pytest.fixture(scope="module")
def several(snapshot: Snapshot) -> str:
    """A generation whose documents have two sentences each."""
    [row, *_] = snapshot.rows("""SELECT generation_id FROM generation JOIN prompt USING (prompt_id)
        WHERE contains(prompt.text, 'One pays') ORDER BY generation_id""")
    return str(row["generation_id"])


def test_a_card_has_the_sentences_of_its_document(open_app: Open, several: str) -> None:
    """Log-odds are 3, 0, ½, 1½, 0 and −1 for the sentences, and rise by 0.1 a token."""
    app = open_app({"generation": several}, screen="context")
    assert not app.exception
    [documents] = components(app, "document_list")
    lines = [["".join(text for text, _ in line["pieces"]) for line in item["lines"]] for item in documents["items"]]
    assert [len(each) for each in lines] == [2, 2, 2]
    assert all(one.startswith("The capital of") and two.startswith("One pays in") for one, two in lines)
    shares = np.array([[line["bar"] for line in item["lines"]] for item in documents["items"]])
    assert shares.sum() == pytest.approx(1)
    assert shares[0, 0] == shares.max() and shares[0, 1] == pytest.approx(0, abs=0.02)
    assert shares[1, 1] > shares[1, 0] > 0 and shares[2, 1] == 0
    assert all(not item["pieces"] for item in documents["items"])  # the text stands once


def test_the_sentences_of_a_chosen_span_are_fitted_again(open_app: Open, snapshot: Snapshot, several: str) -> None:
    whole, one = (
        open_app({"generation": several} | query, screen="context") for query in ({}, {"token": "2"})
    )  # fmt: skip
    told = [
        [line["words"] for item in components(app, "document_list")[0]["items"] for line in item["lines"]]
        for app in (whole, one)
    ]
    sql = "SELECT log_odds FROM ablation WHERE generation_id = ? AND design = 'sentences_single' ORDER BY number"
    odds = np.array([row["log_odds"] for row in snapshot.rows(sql, [several])])  # [1 + S, A]
    logp = -np.logaddexp(0, -odds)
    assert len(odds) == 1 + 6
    for of, said in ((logp.sum(1), told[0]), (logp[:, 2], told[1])):
        lost = of[0] - of[1:]
        for nats, words_of in zip(lost, said, strict=True):
            number = float(words_of.split("loses ")[1].split()[0].replace("−", "-"))
            assert number == pytest.approx(nats, rel=0.05, abs=0.01)


def test_documents_of_one_sentence_are_shown_whole(open_app: Open, snapshot: Snapshot) -> None:
    [row, *_] = snapshot.rows("""SELECT generation_id FROM generation JOIN prompt USING (prompt_id)
        WHERE kind = 'retrieval' AND NOT contains(prompt.text, 'One pays')""")
    app = open_app({"generation": row["generation_id"]}, screen="context")
    [documents] = components(app, "document_list")
    assert len(documents["items"]) == 3
    assert all(item["pieces"] and not item["lines"] for item in documents["items"])
    assert "Beside a sentence" not in words(app)
