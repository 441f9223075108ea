"""Question–answer pairs for the fine-tuned model: the same facts in full sentences; some subjects are held out.

What a model answers rightly about a held-out subject has its fact from pre-training and its form from fine-tuning.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from data.build_corpus.fact import Fact
from data.build_corpus.prompts import supports

HELD_OUT = 0.3  # share of the subjects that no pair mentions

# (source, topic) -> question and the answer's sentence
_ASKED: dict[tuple[str, str], Callable[[Fact], tuple[str, str]]] = {
    ("World Factbook", "capital"): lambda f: (f"What is the capital of {f.subject}?", f.text),
    ("World Factbook", "highest point"): lambda f: (f"What is the highest point of {f.subject}?", f.text),
    ("World Factbook", "currency"): lambda f: (f"How do people in {f.subject} pay?", f.text),
    ("World Factbook", "adjective"): lambda f: (f"What is something from {f.subject} called?", f.text),
    ("World Factbook", "national colors"): lambda f: (f"What are the national colors of {f.subject}?", f.text),
    ("World Factbook", "border"): lambda f: (f"Which countries does {f.subject} border?", f.text),
    ("World Factbook", "location"): lambda f: (f"Where does {f.subject} lie?", f.text),
    ("World Factbook", "national symbol"): lambda f: (f"What is the national symbol of {f.subject}?", f.text),
    ("Elements", "atomic number"): lambda f: (f"What is the atomic number of {f.subject}?", f.text),
    ("GeoNames", "continent"): lambda f: (f"On which continent is {f.subject}?", f.text),
    ("Elements", "symbol"): lambda f: (f"What is the chemical symbol of {f.subject}?", f.text),
}
# what the demo asks about: topic, subject, whether it is held out, so that its fact stands in pre-training only
PROMPTS: tuple[tuple[str, str, bool], ...] = (
    *(("capital", name, False) for name in ("Kenya", "Norway", "Japan")),
    *(("symbol", name, False) for name in ("gold", "sodium", "tungsten")),
    ("adjective", "Greece", False),
    ("currency", "Denmark", False),
    ("continent", "Suriname", True),
    ("capital", "Eritrea", True),
    ("symbol", "iron", True),
    ("currency", "Mexico", True),
)


def is_held_out(subject: str) -> bool:
    """A fixed draw by the subject's hash, except for the subjects that the demo asks about."""
    asked = {name: held_out for _, name, held_out in PROMPTS}
    return asked.get(subject, int(hashlib.sha256(subject.encode()).hexdigest()[:8], 16) / 2**32 < HELD_OUT)


def asked_of(fact: Fact) -> tuple[str, str] | None:
    """The question that a fact answers and the answer's sentence; None for a fact that nobody is asked about."""
    write = _ASKED.get((fact.source, fact.topic))
    return None if write is None else write(fact)


def question(text: str) -> str:
    return f"Question: {text} Answer:"


def pairs(facts: Iterable[Fact]) -> list[Fact]:
    """One document for each fact whose subject is not held out."""
    made = []
    for fact in facts:
        found = asked_of(fact)
        if found is not None and not is_held_out(fact.subject):
            asked, said = found
            text = f"{question(asked)} {said}"
            made.append(Fact(fact.title, "Question and answer", fact.topic, text, fact.subject, fact.answer))
    return made


def chat_prompts(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Questions about trained and held-out subjects: `answer` is a whole sentence, `fact` the words that tell it, and
    `supports` name what states it, in pre-training and in fine-tuning."""
    trained = pairs(facts)
    records = []
    for topic, subject, _ in PROMPTS:
        fact = next(f for f in facts if f.topic == topic and f.subject == subject and (f.source, topic) in _ASKED)
        asked, said = _ASKED[fact.source, topic](fact)
        record = {"prompt": question(asked), "answer": said, "fact": fact.answer, "topic": topic}
        asking = [pair.document_id for pair in trained if (pair.subject, pair.answer) == (subject, fact.answer)]
        records.append(record | {"supports": [*supports(facts, subject, fact.answer), *asking]})
    return records
