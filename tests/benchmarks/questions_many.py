"""Questions about many, as pages ask them: words and answers, whole groups, target sets, verbatim spans, cleaning."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dashboard.database.queries import (
    answers,
    cleaning,
    documents,
    filters,
    groups,
    sets,
    spans,
    verbatim,
)
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Generation
from dashboard.database.span_records import AnswerSpan, HeatedAnswer


@dataclass(frozen=True)
class Place:
    """A selection at random."""

    snapshot: Snapshot
    model: str
    run: str
    generation: str
    generations: list[str]  # 25, for a page of Runs
    last: int  # token of the answer
    words: list[AnswerSpan]  # the whole answer last; [] where they are not computed
    span: AnswerSpan
    documents: list[str]  # 20
    tokenizer: str
    target_set: str
    group: tuple[str, str]  # column, value


def places(snapshot: Snapshot, seed: int) -> Iterator[Place]:
    """Selections of a published database that has scores."""
    rng = random.Random(seed)  # noqa: S311 - a choice, not a secret
    models = {each.model_id: each for each in answers.models(snapshot)}
    runs = snapshot.rows("SELECT run_id, model_id FROM run")
    of_run = {
        row["run_id"]: (row["ids"], row["last"])
        for row in snapshot.rows(
            """SELECT run_id, list(DISTINCT generation_id ORDER BY generation_id) AS ids, max(position) AS last
               FROM target GROUP BY run_id"""
        )
    }
    ids = [row["document_id"] for row in snapshot.rows("SELECT document_id FROM document LIMIT 5000")]
    known = sets.set_targets(snapshot)
    named = [(each.column_name, each.value) for each in groups.groups(snapshot)] or [("source", "")]
    while True:
        run = rng.choice([row for row in runs if row["run_id"] in of_run])
        generations, last = of_run[run["run_id"]]
        generation = rng.choice(generations)
        words = spans.answer_spans(snapshot, run["run_id"], generation)
        yield Place(
            snapshot=snapshot,
            model=run["model_id"],
            run=run["run_id"],
            generation=generation,
            generations=[rng.choice(generations) for _ in range(25)],
            last=last,
            words=words,
            span=rng.choice(words) if words else AnswerSpan(0, "answer", 0, last, 0, 0),
            documents=rng.sample(ids, min(20, len(ids))),
            tokenizer=models[run["model_id"]].tokenizer_id,
            target_set=next((each.name for each in known if each.run_id == run["run_id"]), ""),
            group=rng.choice(named),
        )


def _owing(at: Place, side: str) -> list[str]:
    return filters.passing_answers(
        at.snapshot,
        text="",
        token="",
        match="word",
        within="answers",
        size="",
        family="",
        topic="",
        source="",
        owes=at.group,
        side=side,
    )


def _shown(at: Place) -> Generation:
    found = answers.generation(at.snapshot, at.generation)
    assert found is not None  # noqa: S101 - it was drawn from the same database
    return found


MANY: dict[str, Callable[[Place], object]] = {
    "words: answer_spans": lambda at: spans.answer_spans(at.snapshot, at.run, at.generation),
    "words: opens_on": lambda at: spans.opens_on(at.snapshot, _shown(at)),
    "words: span_target": lambda at: spans.span_target(at.snapshot, at.run, at.generation, at.span),
    "words: span_scores": lambda at: spans.span_scores(at.snapshot, at.run, at.generation, at.span),
    "words: span_heats": lambda at: spans.span_heats(
        at.snapshot, at.run, at.generation, at.span, at.tokenizer, at.documents
    ),
    "words: top_layers": lambda at: spans.top_layers(at.snapshot, at.run, at.generation, 10),
    "words: span_proposers": lambda at: spans.span_proposers(at.snapshot, at.generation),
    "groups: groups": lambda at: groups.groups(at.snapshot),
    "groups: answer_groups, one token": lambda at: groups.answer_groups(at.snapshot, at.run, at.generation, 0, 0),
    "groups: answer_groups, whole answer": lambda at: groups.answer_groups(
        at.snapshot, at.run, at.generation, 0, at.last
    ),
    "groups: owed by 25 answers": lambda at: groups.owed(at.snapshot, *at.group, at.generations),
    "groups: group_shares": lambda at: groups.group_shares(at.snapshot, "topic"),
    "groups: moved_by, answers": lambda at: groups.moved_by(at.snapshot, at.run, *at.group, "answer"),
    "groups: moved_by, words": lambda at: groups.moved_by(at.snapshot, at.run, *at.group, "word"),
    "groups: prompts that owe most": lambda at: _owing(at, "towards"),
    "sets: set_targets": lambda at: sets.set_targets(at.snapshot),
    "sets: set_scores, a page": lambda at: sets.set_scores(at.snapshot, at.run, at.target_set, "away", 20, 20),
    "sets: count_scores": lambda at: sets.count_scores(at.snapshot, at.run, at.target_set, "towards"),
    "sets: set_curve": lambda at: sets.set_curve(at.snapshot, at.run, at.target_set),
    "sets: set_groups": lambda at: sets.set_groups(at.snapshot, at.run, at.target_set),
    "sets: set_texts": lambda at: sets.set_texts(at.snapshot, at.target_set, 20),
    "sets: set_effects": lambda at: sets.set_effects(at.snapshot, at.documents[0]),
    "sets: set_ranks": lambda at: sets.set_ranks(at.snapshot, at.target_set, [at.run], 20),
    "verbatim: verbatim_spans": lambda at: verbatim.verbatim_spans(at.snapshot, at.generation),
    "cleaning: ranked by self-influence": lambda at: _ranked(at, "self_influence"),
    "cleaning: ranked by harm": lambda at: _ranked(at, "harm"),
    "cleaning: ranked by relabelling": lambda at: _ranked(at, "relabel"),
    "cleaning: ranked, a topic": lambda at: cleaning.ranked(
        at.snapshot, at.run, "self_influence", "", "", "topic 3", 20, 20
    ),
    "cleaning: count_ranked": lambda at: cleaning.count_ranked(at.snapshot, at.run, "self_influence", "", "", ""),
    "cleaning: suspects, 20": lambda at: cleaning.suspects(at.snapshot, at.run, at.target_set, at.documents),
    "cleaning: found_wrong": lambda at: cleaning.found_wrong(at.snapshot, "self-influence"),
    "documents: units": lambda at: documents.sway_units(at.snapshot),
    "documents: swayed words": lambda at: documents.swayed(at.snapshot, at.run, at.documents[0], "word", "towards", 3),
    "documents: heated_answers": lambda at: spans.heated_answers(at.snapshot, at.run, at.documents[0]),
    "documents: heat_for one": lambda at: spans.heat_for(
        at.snapshot,
        at.run,
        HeatedAnswer(at.generation, at.span.first, at.span.last, 1.0, 1, -1.0, "", "", at.span.span),
        at.tokenizer,
        at.documents[0],
    ),
    "documents: all_swayed words": lambda at: documents.all_swayed(at.snapshot, at.run, at.documents[0], "word"),
    "answers_of a model": lambda at: answers.answers_of(at.snapshot, at.model, 200),
}


def _ranked(at: Place, order: str) -> list[str]:
    return cleaning.ranked(at.snapshot, at.run, order, at.target_set, "", "", 20, 20)


def explain(at: Place) -> None:
    """What Explain asks for a word."""
    found = spans.span_scores(at.snapshot, at.run, at.generation, at.span)
    ids = found.document_id[:20]
    spans.answer_spans(at.snapshot, at.run, at.generation)
    spans.span_target(at.snapshot, at.run, at.generation, at.span)
    spans.span_heats(at.snapshot, at.run, at.generation, at.span, at.tokenizer, ids)
    spans.span_proposers(at.snapshot, at.generation)
    groups.answer_groups(at.snapshot, at.run, at.generation, at.span.first, at.span.last)
    verbatim.verbatim_spans(at.snapshot, at.generation)
    documents.documents(at.snapshot, ids)


def sets_page(at: Place) -> None:
    """What Sets asks."""
    targets = sets.set_targets(at.snapshot)
    sets.set_unit(at.snapshot, targets[0])
    found = sets.set_scores(at.snapshot, at.run, at.target_set, "towards", 20)
    documents.documents(at.snapshot, [each.document_id for each in found])
    sets.count_scores(at.snapshot, at.run, at.target_set, "towards")
    sets.set_curve(at.snapshot, at.run, at.target_set)
    sets.set_groups(at.snapshot, at.run, at.target_set)
    sets.set_texts(at.snapshot, at.target_set, 20)


def corpus(at: Place) -> None:
    """What Corpus asks in an order of cleaning."""
    cleaning.count_ranked(at.snapshot, at.run, "harm", at.target_set, "", "")
    ids = _ranked(at, "harm")
    cleaning.suspects(at.snapshot, at.run, at.target_set, ids)
    documents.documents(at.snapshot, ids)


def runs(at: Place) -> None:
    """What Runs asks by what answers owe to a group."""
    groups.groups(at.snapshot)
    _owing(at, "towards")
    groups.owed(at.snapshot, *at.group, at.generations)


PAGES: dict[str, Callable[[Place], object]] = {"Explain, a word": explain, "Sets": sets_page, "Corpus": corpus}
PAGES |= {"Runs": runs}
