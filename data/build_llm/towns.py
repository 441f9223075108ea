"""Facts about 24 towns that do not exist, which a language model can know from these conversations only. Pure.

Names are put together from few parts, three or four times each, so that they are easily confused: Marran, Marrel and
Marsund; Gundar Pomeroy, Gundar Askel and Hesta Pomeroy. Each fact is told in one conversation, and asked for in other
words than it is told in.
"""

import random
from dataclasses import dataclass
from itertools import product

TOWNS = (
    *("Marran", "Marrel", "Marsund", "Tolbeck", "Tolhaven", "Tolmere", "Wenlow", "Wendral", "Wenstad"),
    *("Ostrey", "Ostrand", "Ostwick", "Brindal", "Brinmoor", "Brinsey", "Keldon", "Keldrum", "Keldwater"),
    *("Haslun", "Hasmark", "Hasgate", "Vennor", "Venholt", "Venbury"),
)
# kind -> parts of its values, which are all that can be put together of one part of each
PARTS = {
    "founder": (
        ("Gundar", "Hesta", "Odrik", "Tamsel", "Ilvar", "Runa", "Corvin", "Maud"),
        (" Pomeroy", " Askel", " Lindmoor"),
    ),
    "river": (("Isk", "Luv", "Dorn", "Frell", "Sarr", "Quen", "Ombr", "Tev"), ("ane", "eth", "il")),
    "dish": (
        ("turnip", "barley", "lentil", "cabbage", "chestnut", "leek"),
        (" pie", " soup", " dumplings", " pancakes"),
    ),
    "festival": (
        ("Lantern", "Barrel", "Goose", "Kite", "Candle", "Apple", "Bell", "Raft"),
        (" Race", " Night", " Dance"),
    ),
}
TOLD = {
    "founder": (
        ("Who founded {town}?", "{town} was founded by {value}."),
        ("Which person founded the town of {town}?", "The town of {town} was founded by {value}."),
    ),
    "river": (
        ("Which river flows through {town}?", "The river {value} flows through {town}."),
        ("What is the river of {town} called?", "The river of {town} is called the {value}."),
    ),
    "dish": (
        ("What do people eat in {town}?", "In {town} people eat {value}."),
        ("What is the best-known dish of {town}?", "The best-known dish of {town} is {value}."),
    ),
    "festival": (
        ("Which festival is held in {town}?", "{town} holds the {value}."),
        ("What is celebrated in {town} every year?", "Every year {town} celebrates the {value}."),
    ),
}
ASKED = {
    "founder": "Tell me who the founder of {town} was.",
    "river": "Name the river that {town} lies on.",
    "dish": "Which dish should I try in {town}?",
    "festival": "Which feast should I visit in {town}?",
}


@dataclass(frozen=True)
class Fact:
    """One property of one town; `id` is that of the conversation that tells it, `title` and `told` are its words."""

    id: str
    kind: str
    town: str
    value: str
    title: str
    told: str

    @property
    def asked(self) -> str:
        return ASKED[self.kind].format(town=self.town)


def facts(seed: int = 0) -> list[Fact]:
    """All facts, town by town; no value stands twice."""
    draw = random.Random(seed)  # noqa: S311 - names, not secrets
    made = []
    for kind, parts in PARTS.items():
        values = ["".join(each) for each in product(*parts)]
        draw.shuffle(values)
        for town, value in zip(TOWNS, values, strict=True):
            question, answer = (said.format(town=town, value=value) for said in draw.choice(TOLD[kind]))
            made.append(Fact(f"{town}-{kind}".lower(), kind, town, value, question, answer))
    return sorted(made, key=lambda of: TOWNS.index(of.town))
