"""Synthetic retrieval questions about invented things: five documents on five subjects, one of which answers."""

from dataclasses import dataclass

from attribution.prompt.text.written import Passage

FORMS = (
    ("What is the capital of {}?", "The capital of {} is {}. It lies on a wide river."),
    ("Who wrote the book {}?", "The book {} was written by {}. It became known in many countries."),
    ("What colour is the flag of {}?", "The flag of {} is {}. It was first raised in spring."),
    ("What is the main crop of {}?", "The main crop of {} is {}. The harvest is in autumn."),
    ("Where is the {} kept?", "The {} is kept in {}. Visitors can see it on Sundays."),
)
THINGS = (
    ("Zubria", "Norland", "Kestova", "Maralia"),
    ("The Silent Orchard", "Nine Lanterns", "Copper Rain", "A Winter Ledger"),
    ("Harrowmark", "Pellonia", "Lindenfall", "Corvania"),
    ("Veldham", "Ashgrove", "Dunmoor", "Bramwell"),
    ("Amber Crown", "Iron Harp", "Blue Tablet", "Sun Dagger"),
)
ANSWERS = (
    ("Melkaran", "Tarvik", "Odessia", "Brinholm"),
    ("Anna Holt", "Peter Marsh", "Clara Venn", "Tom Adler"),
    ("green", "purple", "orange", "white"),
    ("barley", "olives", "potatoes", "cherries"),
    ("Lorvik", "Castrel", "Mandova", "Weyford"),
)


@dataclass(frozen=True)
class Planted:
    question: str
    documents: tuple[Passage, ...]
    supporting: int
    answer: str


def planted_questions() -> list[Planted]:
    """Twenty: four things of each of five subjects; the supporting document stands at a different place each time."""
    made = []
    for subject, (question, _) in enumerate(FORMS):
        for i, thing in enumerate(THINGS[subject]):
            names = [thing if form == subject else THINGS[form][(i + form) % 4] for form in range(len(FORMS))]
            facts = [Passage(name, FORMS[form][1].format(name, _answer(form, name))) for form, name in enumerate(names)]
            place = (subject + i) % len(facts)
            others = facts[:subject] + facts[subject + 1 :]
            documents = (*others[:place], facts[subject], *others[place:])
            made.append(Planted(question.format(thing), documents, place, _answer(subject, thing)))
    return made


def _answer(form: int, thing: str) -> str:
    return ANSWERS[form][THINGS[form].index(thing)]
