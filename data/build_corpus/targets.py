"""The demo's target sets: facts of one kind, each a prompt with its completion; against capitals, those of others."""

from collections.abc import Sequence
from typing import Any

from data.build_corpus.fact import Fact

MOST = 40  # texts of a set
SETS = {"capitals": ("World Factbook", "capital"), "symbols": ("Elements", "symbol")}  # source and topic of each


def targets(facts: Sequence[Fact], name: str) -> list[dict[str, Any]]:
    """`MOST` facts of the set's kind, by subject."""
    return [
        {"prompt": prompt, "completion": f" {answer}", "topic": SETS[name][1]}
        for prompt, answer in _asked(facts, *SETS[name])
    ]


def wrong(facts: Sequence[Fact], name: str) -> list[dict[str, Any]]:
    """The same prompts, each with the answer to the next one."""
    made = targets(facts, name)
    following = [*made[1:], *made[:1]]
    return [each | {"completion": other["completion"]} for each, other in zip(made, following, strict=True)]


def _asked(facts: Sequence[Fact], source: str, topic: str) -> list[tuple[str, str]]:
    """Prompt and answer, of facts whose text ends in the answer; in the order of the ids of their texts, in which every
    choice is a random one."""
    found: dict[str, tuple[str, str]] = {}
    for fact in sorted(facts, key=lambda fact: fact.document_id):
        start = fact.text.rfind(f" {fact.answer}.")
        if (fact.source, fact.topic) == (source, topic) and start > 0 and fact.answer.isalpha():
            found.setdefault(fact.subject, (fact.text[:start], fact.answer))
    return [found[subject] for subject in sorted(list(found)[:MOST])]
