"""The demo's prompts: each begins a fact of the corpus, and knows the answer and the documents that state it."""

import re
from collections.abc import Sequence
from typing import Any

from data.build_corpus.fact import Fact

# topic -> titles; chosen so that every source is asked, the first word of an answer tells which fact it is (not "green"
# or "Named", with which many answers begin), and the small model fails at some
ASKED: dict[tuple[str, str], tuple[str, ...]] = {
    ("World Factbook", "capital"): (
        *("France", "Japan", "Kenya", "Peru", "Canada", "Norway", "Egypt", "Eritrea", "Mongolia", "Brazil"),
    ),
    ("World Factbook", "border"): ("Finland", "Portugal", "Nepal", "Chile", "Uganda", "Iran"),
    ("World Factbook", "highest point"): ("Peru", "Iceland", "Nepal", "Kenya"),
    ("World Factbook", "national symbol"): ("Canada", "Thailand", "Russia"),
    ("World Factbook", "currency"): ("Denmark", "Mexico", "Japan"),
    ("World Factbook", "adjective"): ("Switzerland", "Greece", "Cyprus"),
    ("World Factbook", "location"): ("Chad",),
    ("GeoNames", "continent"): ("Suriname", "Tonga"),
    ("Elements", "symbol"): (
        *("Gold", "Iron", "Sodium", "Tungsten", "Helium", "Silver", "Potassium", "Mercury", "Tin", "Copper"),
        *("Zinc", "Nickel", "Calcium", "Arsenic"),
    ),
    ("Elements", "atomic number"): ("Carbon", "Uranium"),
    ("Elements", "discovery"): ("Oxygen", "Radium", "Chlorine", "Lithium"),
    ("WordNet", "noun.substance"): (*("steel", "bronze", "brass", "glass", "amber", "ammonia", "diamond"),),
}
# asked from the middle of a document: prompt, answer, topic, subject
INNER = (
    (
        "Cavendish, Henry Cavendish: British chemist and physicist who established that water is a compound of",
        "hydrogen and oxygen",
        "noun.person",
        "water",
    ),
)
_ARTICLE = re.compile(r"(?:an?|the)\s+")  # of a gloss: it belongs to the prompt, since every gloss has one


def prompts(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """One record for each prompt: prompt, answer, topic, supports (texts' ids are added by the writer)."""
    found: dict[tuple[str, str, str], Fact] = {}
    for fact in facts:
        found.setdefault((fact.source, fact.topic, fact.title), fact)
    records = []
    for (source, topic), titles in ASKED.items():
        for title in titles:
            fact = found[source, topic, title]
            answer = _ARTICLE.sub("", fact.answer, count=1) if _ARTICLE.match(fact.answer) else fact.answer
            start = fact.text.index(answer)
            records.append(_record(fact.text[:start].strip(), answer, topic, fact.subject, facts))
    records += [_record(*asked, facts) for asked in INNER]
    return records


def _record(prompt: str, answer: str, topic: str, subject: str, facts: Sequence[Fact]) -> dict[str, Any]:
    return {"prompt": prompt, "answer": answer, "topic": topic, "supports": supports(facts, subject, answer)}


def supports(facts: Sequence[Fact], subject: str, answer: str) -> list[str]:
    """Ids of the documents that name both, as whole words: those that state the fact, and now and then one too many."""
    return [fact.document_id for fact in facts if _states(fact.text, subject) and _states(fact.text, answer)]


def _states(text: str, part: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text, flags=re.IGNORECASE) is not None
