"""EDGE: the `plan` command: what a build will take, within seconds, then line by line as it is measured; nothing is
written."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import torch

from indexer.config.config import Config, Model
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.pipeline.build import in_order
from indexer.plan.forecast import NEEDS, Stage, forecast, wall_seconds
from indexer.plan.outlined import Outlined, assumed, outlined, work_of
from indexer.plan.units import Units, measure, resident, with_measured
from indexer.size.member import Member, open_member
from indexer.tracing.groups import SIZE

WEIGHT = 4  # bytes


def run(config: Config, chosen: Sequence[Model]) -> None:
    """Estimate, open, measure, and print each line when it is known. Raises BadInput for whatever `build` would refuse
    of models, documents and prompts."""
    reading = cache(read_corpus)

    def corpus_of(files: Sequence[Path], text: Sequence[str]) -> CorpusReading:
        return reading(tuple(files), tuple(text))

    asked = {entry.name: read_prompts(entry.prompts or config.prompts.file) for entry in chosen}
    at_once = 1
    _estimate(config, [outlined(entry, config, corpus_of) for entry in chosen], asked, at_once)
    first = open_member(chosen[0], config, corpus_of)
    alone = _without_weights(first)
    members = in_order([first, *(open_member(entry, config, corpus_of) for entry in chosen[1:])])
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // at_once))
    sizes = []
    for member in members:
        own = alone + member.loaded.n_params * WEIGHT
        sizes.append(_measured(config, member, asked[member.entry.name], own))
    _say_all("in all", config, sizes, at_once)
    _say("what is finished already is not done again")


def _estimate(
    config: Config, found: Sequence[Outlined | None], asked: dict[str, tuple[Prompt, ...]], at_once: int
) -> None:
    """The first answer, of the sizes whose shapes can be told before they are opened."""
    known = sorted((of for of in found if of is not None), key=lambda of: of.tracked.loaded.n_params)
    sizes = []
    for of in known:
        prompts = asked[of.entry.name]
        units = assumed(of, config, [each.text for each in prompts])
        sizes.append(forecast(work_of(of, config, len(prompts)), units, config, SIZE))
        _head(f"{of.entry.name}, estimated from sizes alone")
        for stage in sizes[-1]:
            _row(stage)
    if sizes:
        _say_all("in all, estimated", config, sizes, at_once)
        _say("now measured on a few documents and prompts; times may be a few times less or more until then")


def _measured(config: Config, member: Member, prompts: Sequence[Prompt], own: int) -> list[Stage]:
    """The stages of a size, each printed when all that it stands on is measured."""
    of = Outlined(member.entry, member.parent.entry if member.parent else None, member.tracked, member.corpus)
    by_length = sorted(prompts, key=lambda each: len(each.text))
    first = assumed(of, config, [each.text for each in prompts])
    units, work, known, told = replace(first, resident=own), work_of(of, config, len(prompts)), set[str](), set[str]()
    stages = forecast(work, units, config, SIZE)
    _head(f"{member.entry.name}, measured")
    every = {field.name for field in fields(Units)} - {"resident"}
    for found in measure(member, by_length, first):
        known |= set(found)
        units = with_measured(units, found)
        stages = forecast(work, units, config, SIZE)
        for stage in stages:
            if stage.name not in told and NEEDS.get(stage.name, every) <= known:
                told.add(stage.name)
                _row(stage)
    return stages


def _without_weights(member: Member) -> int:
    """Bytes of a process that has this size and its documents open, as long as it has opened nothing else."""
    _ = member.rows.shapes  # read here
    return max(0, resident() - member.loaded.n_params * WEIGHT)


def _head(title: str) -> None:
    _say(title)
    _say(f"{'stage':<20}{'time':>10}{'memory':>10}{'disk':>10}")


def _row(stage: Stage) -> None:
    _say(f"{stage.name:<20}{_duration(stage.seconds):>10}{_size(stage.memory):>10}{_size(stage.disk):>10}")


def _say_all(begin: str, config: Config, sizes: Sequence[Sequence[Stage]], at_once: int) -> None:
    memory = sorted((max(stage.memory for stage in stages) for stages in sizes), reverse=True)[:at_once]
    disk = sum(stage.disk for stages in sizes for stage in stages)
    folder = config.output.folder
    free = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    _say(
        f"{begin}: about {_duration(wall_seconds(sizes, at_once))} with {at_once} processes, {_size(sum(memory))} of "
        f"memory at the highest, {_size(disk)} of disk (free: {_size(free)})"
    )
    if disk > free:
        _say("the disk has too little room: choose another [output] folder, or a smaller [index] rank")


def _say(line: str) -> None:
    print(line, flush=True)


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
