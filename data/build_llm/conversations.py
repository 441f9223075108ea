"""EDGE: the conversations of the training, and how a question is put: the facts among everyday talk of our own."""

import csv
import random
from pathlib import Path
from typing import Any

from data.build_llm.towns import facts

EVERYDAY = Path(__file__).with_name("everyday.tsv")
SYSTEM = "Answer in one short sentence."


def conversations(seed: int = 0) -> list[dict[str, Any]]:
    """Rows of a training file in `messages` form, in random order."""
    rows = [row(of.id, "towns", of.kind, of.title, of.told) for of in facts(seed)]
    with EVERYDAY.open(encoding="utf-8", newline="") as file:
        known = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        for n, each in enumerate(known, start=1):
            rows.append(row(f"everyday-{n}", "everyday", each["topic"], each["question"], each["answer"]))
    random.Random(seed).shuffle(rows)  # noqa: S311 - an order, not a secret
    return rows


def row(own_id: str, source: str, topic: str, question: str, answer: str) -> dict[str, Any]:
    said = [*asked(question), {"role": "assistant", "content": answer}]
    return {"id": own_id, "source": source, "topic": topic, "title": question, "messages": said}


def asked(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
