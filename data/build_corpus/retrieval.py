"""Questions over passages of the corpus, for the demo of a real language model; one of five states the answer."""

from collections.abc import Sequence
from typing import Any

from data.build_corpus.fact import Fact

# question, answer, topic, and the passages in their order as (source, topic, title); the first word of a passage's
# title is what a citation is shown by
Passage = tuple[str, str, str]
ASKED: tuple[tuple[str, str, tuple[Passage, ...]], ...] = (
    (
        "What is the highest point of Iceland?",
        "Hvannadalshnukur",
        (
            ("World Factbook", "lowest point", "Iceland"),
            ("World Factbook", "highest point", "Kenya"),
            ("World Factbook", "highest point", "Iceland"),
            ("World Factbook", "capital", "Iceland"),
            ("World Factbook", "national symbol", "Iceland"),
        ),
    ),
    (
        "What is the national symbol of Kenya?",
        "lion",
        (
            ("World Factbook", "national symbol", "Kenya"),
            ("World Factbook", "national symbol", "Nepal"),
            ("World Factbook", "border", "Kenya"),
            ("World Factbook", "currency", "Kenya"),
            ("World Factbook", "government", "Kenya"),
        ),
    ),
    (
        "Who discovered radium?",
        "Curie",
        (
            ("Elements", "use", "Radium"),
            ("Elements", "occurrence", "Radium"),
            ("Elements", "discovery", "Tungsten"),
            ("Elements", "discovery", "Radium"),
            ("Elements", "symbol", "Radium"),
        ),
    ),
    (
        "Which countries does Thailand border?",
        "Burma, Cambodia, Laos and Malaysia",
        (
            ("World Factbook", "border", "Nepal"),
            ("World Factbook", "border", "Thailand"),
            ("World Factbook", "capital", "Thailand"),
            ("World Factbook", "government", "Thailand"),
            ("World Factbook", "national symbol", "Thailand"),
        ),
    ),
    (
        "What is brass made of?",
        "copper and zinc",
        (
            ("WordNet", "noun.substance", "amber"),
            ("WordNet", "noun.substance", "steel"),
            ("WordNet", "noun.substance", "coal"),
            ("WordNet", "noun.substance", "graphite"),
            ("WordNet", "noun.substance", "brass"),
        ),
    ),
    (
        "In which minerals does tungsten occur?",
        "scheelite",
        (
            ("Elements", "discovery", "Tungsten"),
            ("Elements", "name origin", "Tungsten"),
            ("Elements", "occurrence", "Radium"),
            ("Elements", "occurrence", "Tungsten"),
            ("Elements", "atomic number", "Tungsten"),
        ),
    ),
)


def questions(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """One record for each question: question, docs, answer, topic, supports."""
    found: dict[Passage, Fact] = {}
    for fact in facts:
        found.setdefault((fact.source, fact.topic, fact.title), fact)
    return [_record(question, answer, [found[passage] for passage in passages]) for question, answer, passages in ASKED]


def _record(question: str, answer: str, passages: Sequence[Fact]) -> dict[str, Any]:
    states = [fact for fact in passages if answer in fact.text]
    return {
        "question": question,
        "docs": [{"title": _title(fact), "text": fact.text} for fact in passages],
        "answer": answer,
        "topic": states[0].topic,
        "supports": [fact.document_id for fact in states],
    }


def _title(fact: Fact) -> str:
    return fact.title if fact.topic.startswith("noun.") else f"{fact.title}: {fact.topic}"
