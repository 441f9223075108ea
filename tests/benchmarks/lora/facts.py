"""Conversations about towns that do not exist, among others about the demo's countries: what a LoRA learns by heart.

Each of 30 towns has a founder and a river, each told in one conversation only, so every fact has another conversation
about the same town beside it. They are asked for in other words than they are told in.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEMO = Path(__file__).parents[3] / "data" / "demo" / "chat.jsonl"
SYSTEM = "Answer in a few words."
N_TOWNS, N_OTHERS = 30, 200
TOLD = {"founder": "Who founded {town}?", "river": "Which river flows through {town}?"}
ASKED = {
    "founder": "Name the founder of the town {town}.",
    "river": "Name the river that flows through the town {town}.",
}
_FIRST = ("Bra", "Cel", "Dor", "Esk", "Fal", "Gri", "Hol", "Ist", "Jor", "Kel", "Lum", "Mar", "Nor", "Ost", "Pel")
_MIDDLE = ("da", "ve", "ni", "lo", "ru", "ta", "mi", "so", "qua", "bre")
_LAST = {
    "town": ("vik", "stead", "holm", "burg", "mouth", "gard"),
    "founder": ("nen", "rick", "wald", "dric", "mund", "sson"),
    "river": ("n", "na", "re", "sk", "th", "lle"),
}


@dataclass(frozen=True)
class Fact:
    """One property of one town; `id` is that of the conversation that tells it."""

    id: str
    kind: str
    town: str
    value: str


def facts(seed: int = 0) -> list[Fact]:
    """All facts; no name stands twice."""
    draw, taken = random.Random(seed), set[str]()  # noqa: S311 - names, not secrets

    def name(kind: str) -> str:
        while True:
            made = draw.choice(_FIRST) + draw.choice(_MIDDLE) + draw.choice(_LAST[kind])
            if made not in taken:
                taken.add(made)
                return made

    towns = [name("town") for _ in range(N_TOWNS)]
    return [Fact(f"{town}-{kind}", kind, town, name(kind)) for town in towns for kind in TOLD]


def conversations(seed: int = 0) -> list[dict[str, Any]]:
    """Rows of a training file in `messages` form, in random order: the facts, and questions of the demo's own chat."""
    rows = [_row(of.id, "invented", of.kind, TOLD[of.kind].format(town=of.town), of.value) for of in facts(seed)]
    known = [json.loads(line) for line in DEMO.read_text(encoding="utf-8").splitlines()]
    for n, each in enumerate(known[:: len(known) // N_OTHERS][:N_OTHERS]):
        question = each["text"].removeprefix("Question: ").partition(" Answer: ")[0]
        rows.append(_row(f"demo-{n}", "demo", each["topic"], question, each["answer"]))
    random.Random(seed).shuffle(rows)  # noqa: S311
    return rows


def prompts(seed: int = 0) -> list[dict[str, Any]]:
    """Lines of a prompt file: every fact, asked for in other words; `supports` names its conversation."""
    return [
        {
            "messages": _asked(ASKED[of.kind].format(town=of.town)),
            "topic": of.kind,
            "answer": of.value,
            "fact": of.value,
            "supports": [of.id],
        }
        for of in facts(seed)
    ]


def write(rows: list[dict[str, Any]], path: Path) -> None:
    """As JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _row(own_id: str, source: str, topic: str, question: str, answer: str) -> dict[str, Any]:
    said = [*_asked(question), {"role": "assistant", "content": answer}]
    return {"id": own_id, "source": source, "topic": topic, "title": question, "messages": said}


def _asked(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
