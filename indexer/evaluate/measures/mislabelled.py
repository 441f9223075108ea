"""Mislabelled facts: answers of one relation, swapped between two subjects; and how many of them a ranking finds. Pure.

A relation is found in the texts alone: documents of one source and topic that say something in the same words of
different subjects, `The capital of {} is {}.`
"""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.corpus.document import Document, document_id
from indexer.evaluate.statistics.figures import Figure, figure

LEAST = 8  # documents of a relation
COMMON = 0.9  # of them that say the same words once
LONGEST = 6  # of these words
LOOKED_AT = (1, 5, 10)  # per cent of the documents
# orders of documents, and the two sets of right answers that some of them ask about
OWN, HARM, RELABEL = "self-influence", "harm: ", "best relabelling: "
HELD, KNOWN = "facts that no document states", "right answers of every other fact"


@dataclass(frozen=True)
class Relation:
    """`words` stand between a subject and its answer; `tail` ends every text."""

    source: str
    topic: str
    begins: str  # with this word; "": with any
    words: tuple[str, ...]
    tail: str

    def fact(self, document: Document) -> "Fact | None":
        """What a document of the relation states; None for one that is not of it."""
        said = document.text.removesuffix(self.tail).split(" ")
        if (document.source, document.topic) != (self.source, self.topic) or document.turns:
            return None
        places = _places(said, self.words)
        if len(places) != 1 or (self.begins and said[0] != self.begins) or not document.text.endswith(self.tail):
            return None
        stop = places[0] + len(self.words)
        return Fact(self, " ".join(said[:stop]), " ".join(said[stop:]))


@dataclass(frozen=True)
class Fact:
    """`prompt` is the subject with the words of the relation."""

    relation: Relation
    prompt: str
    answer: str

    def said_of(self, answer: str) -> str:
        """The text with this answer."""
        return f"{self.prompt} {answer}{self.relation.tail}"


@dataclass(frozen=True)
class Mislabelled:
    """Documents of which some state what is wrong."""

    documents: tuple[Document, ...]
    facts: dict[int, Fact]  # of every document of a relation: what it should say
    wrong: tuple[int, ...]  # those that say something else

    def relation_of(self) -> NDArray[np.int64]:
        """Number of the relation of each document, -1 for one of none  # [D]"""
        numbers = {each: i for i, each in enumerate(dict.fromkeys(fact.relation for fact in self.facts.values()))}
        found = np.full(len(self.documents), -1, dtype=np.int64)
        for i, fact in self.facts.items():
            found[i] = numbers[fact.relation]
        return found


def mislabel(documents: Sequence[Document], share: float, seed: int) -> Mislabelled:
    """Swap answers in pairs until `share` of the documents is wrong, or nothing is left to swap."""
    facts = dict(facts_of(documents, relations(documents)))
    texts = {each.text for each in documents}
    generator = random.Random(f"mislabelled/{seed}")  # noqa: S311 - a choice, not a secret
    by_relation: dict[Relation, list[int]] = defaultdict(list)
    for i, fact in facts.items():
        by_relation[fact.relation].append(i)
    pairs = []
    for members in by_relation.values():
        generator.shuffle(members)
        for i, j in zip(members[::2], members[1::2], strict=False):
            said = {facts[i].said_of(facts[j].answer), facts[j].said_of(facts[i].answer)}
            if facts[i].answer != facts[j].answer and not said & texts:
                pairs.append((i, j))
    generator.shuffle(pairs)
    made, wrong = list(documents), []
    for i, j in pairs[: max(1, round(share * len(documents) / 2))]:
        made[i], made[j] = _saying(made[i], facts[i], facts[j]), _saying(made[j], facts[j], facts[i])
        wrong += [i, j]
    return Mislabelled(tuple(made), facts, tuple(sorted(wrong)))


def facts_of(documents: Sequence[Document], among: Sequence[Relation]) -> Iterator[tuple[int, Fact]]:
    """The place and the fact of every document of these relations."""
    by_topic: dict[tuple[str, str], list[Relation]] = defaultdict(list)
    for relation in among:
        by_topic[relation.source, relation.topic].append(relation)
    for i, document in enumerate(documents):
        found = (each.fact(document) for each in by_topic[document.source, document.topic])
        fact = next((each for each in found if each is not None), None)
        if fact is not None:
            yield i, fact


def relations(documents: Sequence[Document]) -> list[Relation]:
    """In the order in which they first stand there."""
    by_topic: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in documents:
        if not each.turns:
            by_topic[each.source, each.topic].append(each.text)
    found = []
    for (source, topic), texts in by_topic.items():
        whole = _relation(source, topic, "", texts)
        if whole is not None:
            found.append(whole)
            continue
        by_word: dict[str, list[str]] = defaultdict(list)
        for text in texts:
            by_word[text.split(" ", 1)[0]].append(text)
        parts = (_relation(source, topic, word, some) for word, some in by_word.items())
        found += [each for each in parts if each is not None]
    return found


def mislabelled_figures(
    by_method: Mapping[str, NDArray[np.floating]], planted: Mislabelled, how: str
) -> Iterator[Figure]:
    """`mislabelled@p`: share of the wrong documents among the first p % of a ranking, equal scores counted as before;
    `mislabelled_auc`: how often one stands before a right document, all of them or those of its relation alone.

    by_method: [D] each, higher is more suspicious; NaN stands at the end. [R, D]: the mean over R orders
    """
    wrong, relation = list(planted.wrong), planted.relation_of()
    right = np.setdiff1d(np.arange(len(relation)), wrong)
    for method, scores in by_method.items():
        known = np.nan_to_num(np.atleast_2d(np.asarray(scores, dtype=np.float64)), nan=-np.inf)  # [R, D]
        places = np.array([(known >= known[:, [i]]).sum(1) for i in wrong])  # [wrong, R]
        for percent in LOOKED_AT:
            looked_at = int(np.ceil(known.shape[1] * percent / 100))
            yield figure(method, f"mislabelled@{percent}", (places <= looked_at).mean(1), how)
        yield figure(method, "mislabelled_auc", [_before(known[:, [i]], known[:, right]) for i in wrong], how)
        alike = [(i, known[:, right[relation[right] == relation[i]]]) for i in wrong]
        within = [_before(known[:, [i]], others) for i, others in alike if others.shape[1]]
        if within:
            yield figure(method, "mislabelled_auc, within its relation", within, how)


def _before(score: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    return float((others < score).mean() + (others == score).mean() / 2)


def _saying(document: Document, fact: Fact, other: Fact) -> Document:
    text = fact.said_of(other.answer)
    return replace(document, document_id=document_id(text), text=text)


def _relation(source: str, topic: str, begins: str, texts: Sequence[str]) -> Relation | None:
    """The longest words, and of these the first, that stand between what differs from text to text."""
    if len(texts) < LEAST:
        return None
    ends = {text[-1:] for text in texts}
    tail = ends.pop() if len(ends) == 1 else ""
    tail = "" if tail.isalnum() else tail
    said = [text.removesuffix(tail).split(" ") for text in texts]
    enough = COMMON * len(texts)
    of_word = Counter(word for words in said for word in set(words))
    usual = {word for word, n in of_word.items() if n >= enough}  # what is common has no other words
    counts: Counter[tuple[str, ...]] = Counter()
    for words in said:
        counts.update(each for each, times in Counter(_inner(words, usual)).items() if times == 1)
    common = {each: [_places(of, each) for of in said] for each, n in counts.items() if n >= enough}
    for between in sorted(common, key=lambda each: (-len(each), np.mean([at[0] for at in common[each] if at]), each)):
        found = zip(said, common[between], strict=True)
        split = [(of[: at[0]], of[at[0] + len(between) :]) for of, at in found if len(at) == 1]
        subjects, answers = ({tuple(each[k]) for each in split} for k in (0, 1))
        if len(subjects) >= enough and len(answers) > 1:
            return Relation(source, topic, begins, between, tail)
    return None


def _inner(words: Sequence[str], usual: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Up to LONGEST of the usual words in a row, with a word before them and one after them."""
    for at in range(1, len(words) - 1):
        for stop in range(at + 1, min(at + LONGEST, len(words) - 1) + 1):
            if words[stop - 1] not in usual:
                break
            yield tuple(words[at:stop])


def _places(said: Sequence[str], words: tuple[str, ...]) -> list[int]:
    """Where the words stand with something before and after them."""
    n = len(words)
    return [at for at in range(1, len(said) - n) if tuple(said[at : at + n]) == words]
