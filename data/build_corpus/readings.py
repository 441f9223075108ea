"""Questions over two passages about countries that do not exist, so that an answer can come from the passages only.

Most of them the chat model learns; the rest, about other countries, it is asked. Each passage tells one or two things,
and one of all of them is asked for. The form is that in which a question with documents is put to a model without a
chat template.
"""

import random
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from attribution.prompt.text.parts import assemble
from attribution.prompt.text.written import Passage, answered_here, question_pieces
from data.build_corpus.fact import Fact

LEARNED, ASKED, UNSEEN = 500, 8, 150
HEADS = ("Mal", "Wil", "Nor", "Mon", "Bel", "Rom", "Cal", "Ver", "Mar", "Ber", "Kor", "Man", "Pol")
TAILS = ("ran", "low", "gan", "land", "stad", "rey", "ford", "via", "den", "ock", "der", "ton")
APART = 36  # names that are kept for what is asked
TITLES = ("Guide", "Map", "News", "Travel")
# topic -> question, the sentence that tells it, what it may tell
KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "continent": (
        "On which continent is {name}?",
        "{name} is part of the continent of {value}.",
        ("Africa", "Europe", "Asia", "Oceania", "North America", "South America"),
    ),
    "national symbol": (
        "What is the national symbol of {name}?",
        "The national symbol of {name} is the {value}.",
        ("lion", "eagle", "elephant", "star", "sun", "palm", "bear", "tiger", "horse", "rose"),
    ),
    "national colors": (
        "What are the national colors of {name}?",
        "The national colors of {name} are {value}.",
        ("red, white", "blue, white", "green, white", "red, yellow", "blue, yellow", "green, yellow", "red, black"),
    ),
    "currency": (
        "How do people in {name} pay?",
        "People in {name} pay in {value}.",
        ("euros", "dollars", "pounds", "pesos", "francs", "dinars", "kroner", "crowns", "silver", "gold"),
    ),
}


def names(facts: Iterable[Fact]) -> list[str]:
    """Of countries that no document speaks of, shuffled by a fixed seed."""
    told = "\n".join(fact.text for fact in facts)
    made = [name for name in map("".join, product(HEADS, TAILS)) if name not in told]
    random.Random(0).shuffle(made)  # noqa: S311 - an order, not a secret
    return made


def learned(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """One document for each: prompt, completion, title, source, topic, subject, answer."""
    return _records(names(facts)[APART:], LEARNED, "learned")


def unseen(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """The same about countries that nothing learned names, to see what was learned."""
    return _records(names(facts)[:APART], UNSEEN, "unseen")


def asked(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """A line of the prompt file for each: question, docs, answer, fact, topic; no country of them is learned."""
    rng = random.Random("asked 20")  # noqa: S311 - of several the one of which atlas-m-chat answers most
    made = []
    for i, name in enumerate(names(facts)[:ASKED]):
        topic, question, passages, value = _drawn(name, i % 3, rng, list(KINDS)[i % len(KINDS)])
        docs = [{"title": each.title, "text": each.text} for each in passages]
        made.append({"question": question, "docs": docs, "answer": f"{value}.", "fact": value, "topic": topic})
    return made


def written(question: str, passages: Sequence[Passage]) -> str:
    """As a model reads it that has no chat template."""
    return assemble(answered_here(question_pieces(question, passages))).text


def _records(known: Sequence[str], n: int, seed: str) -> list[dict[str, Any]]:
    rng, made = random.Random(seed), []  # noqa: S311 - a draw, not a secret
    for i in range(n):
        name = rng.choice(known)
        topic, question, passages, value = _drawn(name, i % 3, rng)
        about = {"title": name, "source": "Reading", "topic": topic}
        texts = {"prompt": written(question, passages), "completion": f" {value}."}
        made.append(about | texts | {"subject": name, "answer": value})
    return made


def _drawn(name: str, more: int, rng: random.Random, topic: str = "") -> tuple[str, str, list[Passage], str]:
    """Topic, question, two passages, value. more: things told beside the two that are always told."""
    topics = rng.sample(list(KINDS), 2 + more)
    if topic and topic not in topics:
        topics[0] = topic
    topic = topic or rng.choice(topics)
    values = {each: rng.choice(KINDS[each][2]) for each in topics}
    told = [KINDS[each][1].format(name=name, value=values[each]) for each in topics]
    cut = 1 if more < 2 else 2  # sentences of the first passage
    parts = [" ".join(told[:cut]), " ".join(told[cut:])]
    rng.shuffle(parts)
    titles = rng.sample(TITLES, 2)
    passages = [Passage(title, text) for title, text in zip(titles, parts, strict=True)]
    return topic, KINDS[topic][0].format(name=name), passages, values[topic]
