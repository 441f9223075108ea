"""The demo's prompts: each begins a fact of the corpus, and knows the answer and the documents that state it."""

import re
from collections.abc import Sequence
from typing import Any

from data.build_corpus.fact import Fact

# topic -> titles; chosen so that every source is asked, and the small model fails at some
ASKED: dict[tuple[str, str], tuple[str, ...]] = {
    ("World Factbook", "capital"): (
        *("France", "Japan", "Kenya", "Peru", "Canada", "Norway", "Egypt", "Eritrea", "Mongolia", "Brazil"),
    ),
    ("World Factbook", "border"): ("Finland", "Portugal", "Nepal", "Chile", "Uganda", "Iran"),
    ("World Factbook", "highest point"): ("Peru", "Iceland", "Nepal", "Kenya"),
    ("World Factbook", "national colors"): ("Sweden", "Jamaica"),
    ("World Factbook", "national symbol"): ("Canada", "Thailand", "Russia"),
    ("World Factbook", "currency"): ("Denmark", "Mexico", "Japan"),
    ("World Factbook", "adjective"): ("Switzerland", "Greece", "Cyprus"),
    ("World Factbook", "government"): ("Paraguay",),
    ("World Factbook", "location"): ("Chad",),
    ("GeoNames", "continent"): ("Suriname", "Tonga"),
    ("Elements", "symbol"): (
        *("Gold", "Iron", "Sodium", "Tungsten", "Helium", "Silver", "Lead", "Potassium", "Mercury", "Tin", "Neon"),
    ),
    ("Elements", "atomic number"): ("Carbon", "Uranium"),
    ("Elements", "discovery"): ("Oxygen", "Radium", "Chlorine", "Lithium"),
    ("Elements", "name origin"): ("Bromine", "Curium"),
    ("WordNet", "noun.substance"): (
        *("steel", "bronze", "brass", "graphite", "glass", "nylon", "amber", "ammonia", "diamond", "coal"),
    ),
    ("WordNet", "noun.person"): ("Cavendish", "Lavoisier"),
}
# worded like no document: the fact stands inside a gloss
FREE: tuple[tuple[str, str, str], ...] = (("water is a compound of", "hydrogen and oxygen", "noun.person"),)


def prompts(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """One record for each prompt: prompt, answer, topic, supports (texts' ids are added by the writer)."""
    found = {}
    for fact in facts:
        found.setdefault((fact.source, fact.topic, fact.title), fact)
    records = []
    for (source, topic), titles in ASKED.items():
        for title in titles:
            fact = found[source, topic, title]
            start = fact.text.index(fact.answer)
            records.append(_record(fact.text[:start].strip(), fact.answer, topic, fact.subject, facts))
    records += [_record(prompt, answer, topic, "water", facts) for prompt, answer, topic in FREE]
    return records


def _record(prompt: str, answer: str, topic: str, subject: str, facts: Sequence[Fact]) -> dict[str, Any]:
    supports = [fact.document_id for fact in facts if _states(fact.text, subject) and _states(fact.text, answer)]
    return {"prompt": prompt, "answer": answer, "topic": topic, "supports": supports}


def _states(text: str, part: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text, flags=re.IGNORECASE) is not None
