"""EDGE: the influence stage: all answers of a size in groups, each a partition with its shards."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from attribution.components.units import Units
from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.groups.grouped import Grouped
from indexer.groups.rows import group_columns
from indexer.groups.stage import Sampled, of_explained
from indexer.groups.stage import left as left_of_groups
from indexer.inside.taught import left, taught_columns
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.answers import Answer
from indexer.tracing.answer_parts import answer_parts
from indexer.tracing.candidates import Candidates, Proposal, candidate_rows, span_candidate_rows, span_rows, with_index
from indexer.tracing.chunks import chunks
from indexer.tracing.explain import explain
from indexer.tracing.heat import heat, position_columns, relabel_columns
from indexer.tracing.prompt_rows import joined
from indexer.tracing.rows.influence import influence_columns, scored_span_columns, target_columns
from indexer.tracing.spans import Span, spans, summed
from indexer.tracing.traced import Traced

Tick = Callable[[float, str], None]
WORDS, RELABELLED = 1, 2  # another number makes them anew
SCORED = 0.75  # of what is told of a token when its documents are scored; the rest is where in them


def scores(
    folder: Path,
    traced: Traced,
    answers: Sequence[Answer],
    textual: Sequence[Candidates],
    tick: Tick,
    units: Units | None = None,
    grouped: Grouped | None = None,
) -> list[Finished]:
    """Shards of every group; `tick(n, what)` after n generated tokens. A group depends on its own answers only.

    textual: what the text proposes for each answer; the gradient index adds to it.   units: of the model, whose
    components are wanted: what they did is left for `taught_stage`, no shard changes.   grouped: groups of documents
    likewise, for `group_stage`.
    """
    fitted = traced.fitted
    member = fitted.member
    together = answer_parts([each.n_targets for each in answers], member.tracked.n_linear, len(fitted.terms))
    names = [
        key(of=[answers[i].generation_id for i in group], on=[textual[i].digest for i in group]) for group in together
    ]
    by_name = dict(zip(names, together, strict=True))
    told: dict[str, float] = {}  # tokens of a group that is under way

    def compute(part: Partition) -> None:
        name = str(part.value)
        group = by_name[name]

        def tell(n: float, what: str) -> None:
            told[name] = told.get(name, 0.0) + n
            tick(n, what)

        _write(part.folder, traced, [answers[i] for i in group], [textual[i] for i in group], tell, units, grouped)

    def done(part: Finished, _fresh: bool) -> None:
        name = str(part.part)
        tick(sum(answers[i].n_targets for i in by_name[name]) - told.pop(name, 0.0), "")

    settings = member.config.scores
    told_of = {"words": WORDS} if settings.words else {}
    told_of |= {"relabelled": RELABELLED} if settings.token_losses else {}
    tables = columns_of("influence", "span_influence")
    made_of = key(run=fitted.run, scores=settings.of_tokens(), index=member.config.index, tables=tables, **told_of)
    return stage(folder, f"scores-{member.entry.name}", made_of, names, compute, done=done, away=True)


def proposed(traced: Traced, answers: Sequence[Answer], scored: Sequence[Finished]) -> list[Candidates]:
    """The candidates of every answer as the stage has stored them, in order."""
    tables = [pq.read_table(part.folder / "candidate.parquet") for part in scored]
    of_spans = _of_spans(scored) if traced.fitted.member.config.scores.words else []
    number = traced.fitted.member.places(
        {each for table in (*tables, *of_spans) for each in table["document_id"].to_pylist()}
    )
    found: dict[str, dict[tuple[str, int | None, int | None], list[tuple[int, float]]]] = {}
    for table in (*tables, *of_spans):
        for row in table.to_pylist():  # stored by rank
            place = row["via"], row.get("position"), row.get("span")
            of = found.setdefault(row["generation_id"], {}).setdefault(place, [])
            of.append((number[row["document_id"]], row["value"]))
    return [
        Candidates(
            each.generation_id,
            tuple(
                Proposal(
                    via,
                    np.array([document for document, _ in of], dtype=np.int64),
                    np.array([value for _, value in of], dtype=np.float32),
                    position,
                    span,
                )
                for (via, position, span), of in found[each.generation_id].items()
            ),
            _spans(each) if of_spans else (),
        )
        for each in answers
    ]


def _of_spans(scored: Sequence[Finished]) -> list[pa.Table]:
    """What is proposed for words and answers."""
    return [pq.read_table(part.folder / "span_candidate.parquet") for part in scored]


def _spans(answer: Answer) -> tuple[Span, ...]:
    return spans(answer.generation.text, answer.generation.spans)


def _write(
    folder: Path,
    traced: Traced,
    answers: Sequence[Answer],
    textual: Sequence[Candidates],
    tick: Tick,
    units: Units | None,
    grouped: Grouped | None,
) -> None:
    fitted, norms, ids = traced.fitted, traced.norms, traced.ids
    member, run = fitted.member, fitted.run
    sampled = Sampled(grouped, traced) if grouped is not None else None
    found = [_proposed(traced, of, each, sampled) for of, each in zip(textual, answers, strict=True)]
    tables: dict[str, list[Mapping[str, Any]]] = {}
    neurons = member.config.inside.neurons
    passed: list[Mapping[str, Any]] = []
    of_groups: list[Mapping[str, Any]] = []
    cut = chunks(fitted.terms, answers, member.config.output.folder, [of.queries for of in found])
    tokens_of_query = sum(each.n_targets for each in answers) / sum(chunk.n for chunk in cut)
    for chunk in cut:
        n_documents = len(np.unique(np.concatenate([found[a].documents for a, _ in chunk.stretches])))
        told = _documents(chunk.n * tokens_of_query, n_documents, tick)
        made = explain(fitted, norms, answers, found, chunk, units=units, tick=told)
        if sampled is not None and made.kept.places:
            of_groups.append(group_columns(run, made.kept.places, of_explained(made, sampled)))
        closer, kept = heat(fitted, made, units, neurons), made.kept
        if units is not None:
            passed.append(taught_columns(run, kept, closer, ids))
        of_chunk: dict[str, Mapping[str, Any]] = {
            "target": target_columns(run, kept, made.values, made.own),
            "influence": influence_columns(run, kept, norms, ids, made.own),
            "influence_position": position_columns(run, kept, closer.tokens.shares, closer.tokens.learned, ids),
            "relabel": relabel_columns(run, kept, closer.tokens, ids, member.words),
        }
        if member.config.scores.words:
            of_chunk |= scored_span_columns(run, made, closer.spans, norms, ids)
        for table, columns in of_chunk.items():
            tables.setdefault(table, []).append(columns)
        del made  # its directions, before those of the next chunk
    write_shard(folder, "candidate", candidate_rows(found, ids))
    if member.config.scores.words:
        write_shard(folder, "span", span_rows(found))
        write_shard(folder, "span_candidate", span_candidate_rows(found, ids))
    if units is not None:
        left(neurons).leave(folder, joined(passed))
    if grouped is not None:
        left_of_groups(grouped).leave(folder, joined(of_groups))
    for table, of_chunks in tables.items():
        write_shard(folder, table, joined(of_chunks))


def _proposed(traced: Traced, textual: Candidates, answer: Answer, sampled: Sampled | None) -> Candidates:
    """What text and index propose for an answer, its tokens and, where they are wanted, its spans.

    sampled: is told what the index says
    """
    member, estimates = traced.fitted.member, traced.estimates(answer)
    if sampled is not None:
        sampled.add(answer, estimates)
    if not member.config.scores.words:
        return with_index(textual, member, answer, traced.index, estimates)
    of = _spans(answer)
    return with_index(textual, member, answer, traced.index, estimates, of, summed(estimates, of))


def _documents(n_tokens: float, n_documents: int, tick: Tick) -> Callable[[int], None]:
    """`tick(n)` after n documents have met so many tokens, as a part of these."""
    seen = [0]

    def met(n: int) -> None:
        n = min(n, n_documents - seen[0])
        seen[0] += n
        tick(SCORED * n_tokens * n / n_documents, f"document {seen[0]} of {n_documents}")

    return met
