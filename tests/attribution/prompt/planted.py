"""Synthetic retrieval questions: five documents of one form about invented things, one of which answers."""

from dataclasses import dataclass

from attribution.prompt.retrieval import Document

FORMS = (
    ("What is the capital of {}?", "The capital of {} is {}. It lies on a wide river."),
    ("Who wrote the book {}?", "The book {} was written by {}. It became known in many countries."),
    ("What colour is the flag of {}?", "The flag of {} is {}. It was first raised in spring."),
    ("What do people grow in {}?", "In {}, people grow {}. The harvest is in autumn."),
)
THINGS = (
    ("Zubria", "Norland", "Kestova", "Maralia", "Tolvania"),
    ("The Silent Orchard", "Nine Lanterns", "Copper Rain", "A Winter Ledger", "The Glass Ferry"),
    ("Harrowmark", "Pellonia", "Ostrava Bay", "Lindenfall", "Corvania"),
    ("Veldham", "Sorrento Hills", "Ashgrove", "Dunmoor", "Bramwell"),
)
ANSWERS = (
    ("Melkaran", "Tarvik", "Odessia", "Brinholm", "Castrel"),
    ("Anna Holt", "Peter Marsh", "Clara Venn", "Tom Adler", "Ruth Okoro"),
    ("green", "purple", "orange", "white", "black"),
    ("barley", "olives", "potatoes", "cherries", "cotton"),
)


@dataclass(frozen=True)
class Planted:
    question: str
    documents: tuple[Document, ...]
    supporting: int
    answer: str


def planted_questions() -> list[Planted]:
    """Twenty: each of five things in each of four forms, the supporting document at a different place each time."""
    made = []
    for (question, statement), things, answers in zip(FORMS, THINGS, ANSWERS, strict=True):
        facts = [
            Document(thing, statement.format(thing, answer)) for thing, answer in zip(things, answers, strict=True)
        ]
        for i, (thing, answer) in enumerate(zip(things, answers, strict=True)):
            turned = facts[i:] + facts[:i]
            place = (2 * i + 1) % len(facts)
            documents = turned[len(facts) - place :] + turned[: len(facts) - place]
            made.append(Planted(question.format(thing), tuple(documents), documents.index(facts[i]), answer))
    return made
