"""EDGE: whole groups against the sum over every document: `python -m tests.benchmarks groups CONFIG --model NAME`.

Of a build: some tokens of its answers, every source and topic. What is stored is compared with exact scores of all
documents, added up; the form for models whose gradients of groups are too large is worked out from the same and
compared too. Prints errors, what a new token costs, and how far the model is from a minimum of its loss.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from attribution.query.directions import join_directions
from indexer.ask.opened import Opened, open_size
from indexer.config.config import read_config
from indexer.groups.grouped import Grouped, GroupedStage
from indexer.groups.scores import Sample, estimates, group_scores
from indexer.journal.stages import finished
from indexer.size.answers import Answer, answer
from indexer.size.rendered import as_read
from indexer.size.terms import score
from indexer.tracing.candidates import random_documents

Numbers = NDArray[np.float64]


def chosen(opened: Opened, config: Path, n: int) -> list[tuple[Answer, int]]:
    """n tokens, evenly over all answers."""
    from indexer.corpus.prompt_file import read_prompts

    member = opened.member
    prompts = as_read(member, read_prompts(member.entry.prompts or member.config.prompts.file))
    some = [prompts[int(i)] for i in np.linspace(0, len(prompts) - 1, min(n, len(prompts)))]
    made = [answer(member.loaded, each, member.config.prompts.max_new_tokens) for each in some]
    return [(made[k % len(made)], k // len(made)) for k in range(n) if k // len(made) < made[k % len(made)].n_targets]


def by_document(opened: Opened, targets: Sequence[tuple[Answer, int]]) -> Numbers:
    """Exact influence of every document on every token  # [Q, D] nats"""
    assert opened.traced is not None  # noqa: S101
    fitted = opened.traced.fitted
    everyone = np.arange(len(fitted.member.documents))
    total = np.zeros((len(targets), len(everyone)))
    for term in fitted.terms:
        directions = join_directions(term.directions(said, range(at, at + 1)) for said, at in targets)
        found = score(term, directions, fitted.member.rows, everyone, np.ones(total.shape, dtype=bool), None)
        total += np.nan_to_num(found.values.sum(-1, dtype=np.float64))
    return total


def in_groups(of: Grouped, documents: Numbers) -> Numbers:
    """Added up by group  # [G]"""
    found = np.zeros(len(of.groups))
    for stage in of.stages:
        own = documents[stage.term.documents.start : stage.term.documents.stop]
        cells = np.bincount(stage.cells.of, weights=own, minlength=stage.cells.n)
        found += cells @ of.members(stage)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("config", type=Path, nargs="?", default=Path("data/demo/demo.toml"))
    parser.add_argument("--model", default="", help="without it the first of the configuration")
    parser.add_argument("--targets", type=int, default=50)
    chosen_ones = parser.parse_args(arguments)
    config = read_config(chosen_ones.config)
    opened = open_size(config, chosen_ones.model or config.model[0].name)
    groups, traced = opened.groups, opened.traced
    if groups is None or traced is None:
        raise SystemExit("expected a build with groups; build it with [groups]")
    targets = chosen(opened, chosen_ones.config, chosen_ones.targets)
    stored = _stored(opened, groups)
    off, near, covered, spent = [], [], [], []
    for (said, position), documents in zip(targets, by_document(opened, targets), strict=True):
        expected, sizes = in_groups(groups, documents), in_groups(groups, abs(documents))
        terms = traced.fitted.terms
        directions = [term.directions(said, range(position, position + 1)) for term in terms]
        sample = _sample(opened, groups, said, position, documents)
        started = time.process_time()
        found = group_scores(groups, directions, sample)
        spent.append(time.process_time() - started)
        kept = stored.get((said.generation_id, position), found.values[0])
        off.append(abs(kept - expected) / abs(expected))
        near.append(abs(kept - expected) / sizes)
        whole = group_scores(_estimated(groups), directions, sample)
        assert whole.errors is not None  # noqa: S101
        covered.append((whole.values[0] - expected) / np.where(whole.errors[0] > 0, whole.errors[0], np.nan))
    relative, of_size, inside = np.concatenate(off), np.concatenate(near), np.concatenate(covered)
    print(f"{opened.member.entry.name}: {len(targets)} tokens, {len(groups.groups)} groups of all documents")
    print(f"  gradients kept: {groups.is_exact}")
    print(f"  off the sum over every document: at most {relative.max():.1e} of it, median {np.median(relative):.1e};")
    print(f"    {np.mean(relative <= 1e-4):.1%} of them within 1e-4 of it;")
    print(f"    at most {of_size.max():.1e} of the sum of the sizes of its documents")
    print(f"  a new token costs {1000 * spent[0]:.1f} ms of a core, the next ones {1000 * np.mean(spent[1:]):.1f}")
    print("  estimated by the index instead, (estimate - truth) / its standard error:")
    print(f"    within 1: {np.nanmean(abs(inside) < 1):.0%}, within 2: {np.nanmean(abs(inside) < 2):.0%} (68 %, 95 %)")
    _about_minimum(opened, groups, stored)


def _stored(opened: Opened, of: Grouped) -> dict[tuple[str, int], Numbers]:
    """What the build has of each token, in the order of the groups."""
    place = {(each.corpus, each.column, each.value): g for g, each in enumerate(of.groups)}
    parts = finished(opened.member.config.output.folder, f"grouped-{opened.member.entry.name}")
    rows = [row for part in parts for row in pq.read_table(part.folder / "group_influence.parquet").to_pylist()]
    found: dict[tuple[str, int], Numbers] = {}
    for row in rows:
        at = found.setdefault((row["generation_id"], row["position"]), np.full(len(place), np.nan))
        at[place[row["corpus"], row["column_name"], row["value"]]] = row["score"]
    return found


def _sample(opened: Opened, of: Grouped, said: Answer, position: int, documents: Numbers) -> Sample:
    assert opened.traced is not None  # noqa: S101
    null = random_documents(opened.member).documents
    values = opened.traced.estimates(said)[position : position + 1]
    return Sample(estimates(of, values, null), documents[null][None].astype(np.float32))


def _estimated(of: Grouped) -> Grouped:
    """The same without the gradients."""
    return Grouped(tuple(GroupedStage(each.term, each.fitted, each.cells, None) for each in of.stages))


def _about_minimum(opened: Opened, of: Grouped, stored: dict[tuple[str, int], Numbers]) -> None:
    """At a minimum of the mean loss the gradients of all documents add up to zero, and so does their influence."""
    if not stored:
        return
    everything = np.stack(list(stored.values()))
    for g, group in enumerate(of.groups):
        if group.column == "":
            parts = [h for h, each in enumerate(of.groups) if each.corpus == group.corpus and each.column == "topic"]
            print(
                f"  all documents of {group.corpus}: mean |influence| {abs(everything[:, g]).mean():.3f} nats, "
                f"that of its topics added up by size {abs(everything[:, parts]).sum(axis=1).mean():.3f}"
            )


if __name__ == "__main__":
    main()
