"""Questions over passages of the corpus, for the demo of a real language model; one of five states the answer."""

from collections.abc import Sequence
from typing import Any

from data.build_corpus.fact import Fact

# question, answer, and the passages in their order as (source, topic, title); chosen so that SmolLM2-135M answers most
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
        "What are the uses of radium?",
        "treating cancer",
        (
            ("Elements", "discovery", "Radium"),
            ("Elements", "occurrence", "Radium"),
            ("Elements", "use", "Radium"),
            ("Elements", "symbol", "Radium"),
            ("Elements", "discovery", "Tungsten"),
        ),
    ),
    (
        "What does Nepal border?",
        "China and India",
        (
            ("World Factbook", "border", "Thailand"),
            ("World Factbook", "border", "Nepal"),
            ("World Factbook", "capital", "Nepal"),
            ("World Factbook", "currency", "Nepal"),
            ("World Factbook", "highest point", "Nepal"),
        ),
    ),
    (
        "What is the atomic number of tungsten?",
        "74",
        (
            ("Elements", "discovery", "Tungsten"),
            ("Elements", "occurrence", "Tungsten"),
            ("Elements", "atomic number", "Radium"),
            ("Elements", "name origin", "Tungsten"),
            ("Elements", "atomic number", "Tungsten"),
        ),
    ),
    (  # the model takes this one from the wrong passage: that is what citations are for
        "What is the government of Nepal?",
        "federal parliamentary republic",
        (
            ("World Factbook", "capital", "Nepal"),
            ("World Factbook", "government", "Thailand"),
            ("World Factbook", "border", "Nepal"),
            ("World Factbook", "government", "Nepal"),
            ("World Factbook", "currency", "Nepal"),
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
