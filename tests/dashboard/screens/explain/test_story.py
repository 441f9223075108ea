"""The sentences over the list of documents say what the numbers say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.address.selection import Selection
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.drawing.shapes import Piece
from dashboard.screens.explain.explanation import Explanation, explain
from dashboard.screens.explain.layers import profiles
from dashboard.screens.explain.story import LONGEST, driven, elsewhere, sentence_with, written
from indexer.database.reader import Snapshot


def said(pieces: list[Piece]) -> str:
    return "".join(text for text, _ in pieces)


def found_in(snapshot: Snapshot, generation_id: str, **chosen: Any) -> tuple[Explanation, Selection]:
    generation = answers.generation(snapshot, generation_id)
    assert generation is not None
    selection = Selection(generation=generation_id, **chosen)
    return explain(snapshot, selection, StoredAnswer(snapshot, generation)), selection


@pytest.fixture(scope="module")
def some(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Every answer to a prompt that is completed, with its expected one."""
    return snapshot.rows("""SELECT generation_id, generation.text, answer, name FROM generation
        JOIN prompt USING (prompt_id) JOIN model USING (model_id) WHERE prompt.kind = 'completion' ORDER BY ALL""")


def test_a_wrong_answer_says_so_with_the_expected_one(snapshot: Snapshot, some: list[dict[str, Any]]) -> None:
    verdicts = set()
    for row in some:
        right = row["text"].strip().startswith(f"{row['answer']}.")
        verdicts.add(right)
        found, _ = found_in(snapshot, row["generation_id"])
        wrote = f"{row['name']} wrote “{row['text'].strip().removesuffix('.')}”"
        expected = ", as expected." if right else f", which is wrong: “{row['answer']}” was expected."
        assert said(written(found)) == wrote + expected
    assert verdicts == {True, False}
    assert said(written(replace(found, generation=replace(found.generation, answer="")))) == f"{wrote}."


def test_the_document_that_stands_first_is_named_with_what_it_states(
    snapshot: Snapshot, some: list[dict[str, Any]]
) -> None:
    states = set()
    for row in some:
        [first] = snapshot.rows(
            """SELECT document.* FROM span_influence JOIN span USING (generation_id, span)
               JOIN document USING (document_id) WHERE generation_id = ? AND kind = 'answer' AND rank = 1""",
            [row["generation_id"]],
        )
        found, selection = found_in(snapshot, row["generation_id"])
        sentence = said(driven(found, selection))
        where = f"{first['source']} · {first['topic']}"
        assert sentence.startswith(f"The document that made this answer most likely is {first['title']} ({where}); it ")
        quote = first["text"].removesuffix(".")
        assert quote in sentence
        right = row["text"].strip().startswith(f"{row['answer']}.")
        states.add(holds := right and row["answer"] in first["text"])
        assert holds <= ("; it states “" in sentence)
        assert holds or not found.copies.documents.get(first["document_id"]) or "; it states “" in sentence
    assert states == {True, False}


def test_sides_words_scales_layers_and_chance_are_told(snapshot: Snapshot, some: list[dict[str, Any]]) -> None:
    name = some[0]["generation_id"]
    found, selection = found_in(snapshot, name, tail="away", span=(0, 0))
    assert said(driven(found, selection)).startswith("The document that speaks against the token “")
    found, selection = found_in(snapshot, name, layer="mlp-0", normaliser="grad_norm")
    assert " through MLP 0 by the chosen scale is " in said(driven(found, selection))
    assert said(driven(replace(found, shown=[]), selection)) == ""
    assert found.target is not None
    loud = replace(found, target=replace(found.target, null_scores=np.full(9, 1e6)))
    assert said(driven(loud, selection)).endswith("That says little: 9 of 9 random documents are as strong.")


def test_of_a_conversation_is_quoted_what_was_said_and_not_who_said_it(
    snapshot: Snapshot, some: list[dict[str, Any]]
) -> None:
    found, selection = found_in(snapshot, some[0]["generation_id"])
    first = found.shown[0].document_id
    words = found.generation.text.strip().removesuffix(".")
    spoken = f"user: Which is it?\nassistant: It is {words}, the capital."
    for turns, quote in (
        ("[]", f"it states “It is {words}, the capital”"),
        ("", f"it states “assistant: It is {words}"),
    ):
        document = replace(found.documents[first], text=spoken, turns=turns)
        told = replace(found, documents=dict(found.documents) | {first: document})
        assert quote in said(driven(told, selection))


def test_what_the_other_sizes_wrote(snapshot: Snapshot, some: list[dict[str, Any]]) -> None:
    for row in some:
        found, _ = found_in(snapshot, row["generation_id"])
        sentence = said(elsewhere(found))
        others = [each for each in found.siblings if each.generation_id != row["generation_id"]]
        for each in others:
            differs = each.text.strip() != row["text"].strip()
            assert (f"{each.model.name} wrote “{each.text.strip().removesuffix('.')}”" in sentence) == differs
    assert elsewhere(replace(found, siblings=[found.generation])) == []


def test_the_sentence_with_some_words() -> None:
    text = "It is far. The capital of Peru is Lima. It is large.\nLima lies at the sea"
    assert sentence_with(text, "Lima") == "The capital of Peru is Lima."
    assert sentence_with(text, "sea") == "Lima lies at the sea"
    assert sentence_with(text, "") == sentence_with(text, "absent") == "It is far."
    long = f"{'a ' * 400}Lima {'b ' * 400}"
    cut = sentence_with(long, "Lima")
    assert "Lima" in cut and cut.startswith("… ") and cut.endswith(" …") and len(cut) <= LONGEST + 4


def test_layers_of_both_sides_are_not_added_up(snapshot: Snapshot, some: list[dict[str, Any]]) -> None:
    found, selection = found_in(snapshot, some[0]["generation_id"], tail="both")
    drawn = profiles(found, selection)
    assert [each.document_id for _, of in drawn for each in sorted(of, key=lambda each: -abs(each.value))]
    for (name, of), towards in zip(drawn, (True, False), strict=True):
        assert of and all((each.value > 0) == towards for each in of)
        assert ("towards" in name) == towards and ("away" in name) != towards
    assert sum(len(of) for _, of in drawn) == len(found.shown)
    one, _ = found_in(snapshot, some[0]["generation_id"], tail="both", document=found.shown[0].document_id)
    assert profiles(one, replace(selection, document=found.shown[0].document_id)) == [
        ("The selected document", [one.shown[0]])
    ]
