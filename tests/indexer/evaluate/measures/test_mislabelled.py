"""Relations found in the texts alone, answers swapped in pairs, and how finding them is counted."""

from collections import Counter

import numpy as np
import pytest

from indexer.corpus.document import Document, document_id
from indexer.evaluate.measures.mislabelled import (
    LONGEST,
    Mislabelled,
    _inner,
    facts_of,
    mislabel,
    mislabelled_figures,
    relations,
)
from tests.tiny_family import TEXTS

PROSE = ["In the year of the flood the bridge was lost.", "Salt is a mineral.", "Nobody knows.", "", "A"]


def documents(texts, topic="country"):
    return [Document(document_id(text), "corpus", "", "made up", topic, text) for text in texts]


def test_relations_are_what_is_said_alike_of_different_subjects():
    capital, currency = relations(documents([*TEXTS, *PROSE]))
    assert (capital.begins, capital.words, capital.tail) == ("The", ("is",), ".")
    assert (currency.begins, currency.words, currency.tail) == ("People", ("pay", "in", "the"), ".")
    facts = dict(facts_of(documents([*PROSE, *TEXTS]), [capital, currency]))
    assert sorted(facts) == list(range(len(PROSE), len(PROSE) + len(TEXTS)))
    assert all(fact.said_of(fact.answer) == [*PROSE, *TEXTS][i] for i, fact in facts.items())


def test_of_words_that_are_as_many_the_first_stand_between():
    texts = [f"The summit of {name} is {name}berg, at {i}00 metres." for i, name in enumerate("ABCDEFGHIJ")]
    [found] = relations(documents(texts))
    assert found.words == ("is",)
    assert dict(facts_of(documents(texts), [found]))[3].answer == "Dberg, at 300 metres"


@pytest.mark.parametrize("texts", [[], TEXTS[:7], PROSE * 4, ["Peru borders Chile."] * 20])
def test_few_texts_prose_and_one_text_many_times_are_no_relation(texts):
    made = mislabel(documents(texts), 0.5, 0)
    assert relations(documents(texts)) == []
    assert made.wrong == ()
    assert list(made.documents) == documents(texts)


def test_conversations_are_left_alone():
    talks = [Document(each.document_id, "c", "", "", "", each.text, turns="{}") for each in documents(TEXTS)]
    assert relations(talks) == []


def test_what_may_be_common_is_what_has_usual_words_only():
    words, usual = ["a", "b", "c", "d", "a", "b", "x", "c", "d", "e", "f", "g", "h", "i", "b"], set("abcdefghi")
    every = [tuple(words[at : at + n]) for n in range(1, LONGEST + 1) for at in range(1, len(words) - n)]
    assert sorted(_inner(words, usual)) == sorted(each for each in every if set(each) <= usual)


def test_answers_are_swapped_in_pairs_within_a_relation():
    right = documents([*TEXTS, *PROSE])
    made = mislabel(right, 0.2, seed=0)
    assert len(made.wrong) == 2 * round(0.2 * len(right) / 2)
    for i, (before, after) in enumerate(zip(right, made.documents, strict=True)):
        fact = made.facts.get(i)
        if i in made.wrong:
            assert after.text.startswith(f"{fact.prompt} ")
            assert after.text != before.text == fact.said_of(fact.answer)
            assert after.document_id == document_id(after.text)
        else:
            assert after == before

    def said(of):
        return Counter(fact.answer for _, fact in facts_of(of, relations(right)))

    assert said(right) == said(made.documents)  # nothing is said more often than it was
    assert mislabel(right, 0.2, seed=0) == made
    assert mislabel(right, 0.2, seed=1).wrong != made.wrong


def test_one_answer_for_all_leaves_nothing_to_swap():
    texts = [f"The colour of {name} is blue." for name in "ABCDEFGHIJ"]
    assert mislabel(documents(texts), 0.5, 0).wrong == ()


def planted(n_wrong=2, n=20):
    made = mislabel(documents(TEXTS[:n]), n_wrong / n, 0)
    assert len(made.wrong) == n_wrong
    return made


def test_found_among_the_first_and_before_the_right_ones():
    made = planted()
    first, second = made.wrong
    scores = np.zeros(20)
    scores[first] = 3
    scores[[i for i in range(20) if i not in made.wrong][:3]] = 2  # three right ones before the second
    scores[second] = 1
    found = {each.metric: each.value for each in mislabelled_figures({"loss": scores}, made, "")}
    assert found["mislabelled@1"] == 0.5  # one document of twenty is looked at
    assert found["mislabelled@10"] == 0.5
    assert found["mislabelled_auc"] == pytest.approx((1 + 15 / 18) / 2)


def test_equal_scores_are_chance_and_are_no_luck():
    found = {each.metric: each.value for each in mislabelled_figures({"none": np.ones(20)}, planted(), "")}
    assert found == {name: 0.0 for name in found if "@" in name} | {
        "mislabelled_auc": 0.5,
        "mislabelled_auc, within its relation": 0.5,
    }


def test_documents_without_a_number_come_last():
    made = planted()
    scores = np.where(np.isin(np.arange(20), made.wrong), np.nan, 1.0)
    found = {each.metric: each.value for each in mislabelled_figures({"x": scores}, made, "")}
    assert found["mislabelled_auc"] == 0


def test_auc_is_what_counting_all_pairs_gives_and_knows_relations():
    made = mislabel(documents(TEXTS), 0.2, 0)
    relation = made.relation_of()
    scores = np.random.default_rng(0).integers(0, 5, len(TEXTS)).astype(float) + 10 * relation
    found = {each.metric: each.value for each in mislabelled_figures({"x": scores}, made, "")}

    def auc(alike):
        each = []
        for i in made.wrong:
            others = [j for j in range(len(TEXTS)) if j not in made.wrong and (not alike or relation[i] == relation[j])]
            each.append(np.mean([(scores[j] < scores[i]) + 0.5 * (scores[j] == scores[i]) for j in others]))
        return np.mean(each)

    assert found["mislabelled_auc"] == pytest.approx(auc(alike=False))
    assert found["mislabelled_auc, within its relation"] == pytest.approx(auc(alike=True))
    assert auc(alike=True) != auc(alike=False)


def test_of_several_orders_it_is_the_mean():
    made = planted()
    orders = np.random.default_rng(0).random((3, 20))
    each = [{of.metric: of.value for of in mislabelled_figures({"x": order}, made, "")} for order in orders]
    found = {of.metric: of.value for of in mislabelled_figures({"x": orders}, made, "")}
    assert found == pytest.approx({name: np.mean([of[name] for of in each]) for name in found})


def test_documents_of_no_relation_have_none():
    made = mislabel(documents([*PROSE, *TEXTS]), 0.2, 0)
    assert isinstance(made, Mislabelled)
    assert set(made.relation_of()[: len(PROSE)]) == {-1}
    assert set(made.relation_of()) == {-1, 0, 1}
