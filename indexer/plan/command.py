"""EDGE: the `plan` command: what a build will take, within seconds, then line by line as it is measured; nothing is
written."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import torch

from attribution.loading.load import choose_device
from attribution.machine import free_memory, resident, schedule_of
from indexer.config.config import Config, Model
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.pipeline.build import in_order
from indexer.plan.advice import advice, duration, size
from indexer.plan.forecast import ASK, FIRST, GROUPS, INSIDE, VERBATIM, Stage, asking, forecast, wall_seconds
from indexer.plan.measured import Found, measure, seconds
from indexer.plan.outlined import Outlined, outlined, work_of
from indexer.plan.speeds import Speeds, assumed
from indexer.plan.work import Work
from indexer.processes.at_once import at_once
from indexer.size.member import Member, open_member
from indexer.tracing.prompt_share import maps_left_out, maps_of

# what is to be measured before a stage's forecast is more than an estimate; of any other stage, everything
NEEDS = {
    "pairs": {"passed"},
    "factors": {"passed", "turned", "touched", "products", "decomposed"},
    "answers": {"written"},
    "prompts": {"written", "shared"},
    VERBATIM: {"written"},
    INSIDE: {"passed", "products", "written"},
    "corpus pass": {"passed", "turned", "formed", "touched", "cut"},
}
MEASURED = {field.name for field in fields(Speeds)} - {"opened"}


def run(config: Config, chosen: Sequence[Model]) -> None:
    """Estimate, open, measure, and print each line when it is known. Raises BadInput for whatever `build` would refuse
    of models, documents and prompts."""
    reading = cache(read_corpus)

    def corpus_of(files: Sequence[Path], text: Sequence[str], groups: Sequence[str]) -> CorpusReading:
        return reading(tuple(files), tuple(text), tuple(groups))

    asked = {entry.name: read_prompts(entry.prompts or config.prompts.file) for entry in chosen}
    _estimate(config, [outlined(entry, config, corpus_of) for entry in chosen], asked)
    started = seconds()
    members = in_order([open_member(entry, config, corpus_of) for entry in chosen])
    opened = (seconds() - started) / len(members)
    for member in members:
        member.check_learned()
        maps_of(member)
        for line in maps_left_out(member):
            _say(line)
    n = at_once(config.device, members[-1].loaded.device.type, members[-1].loaded.n_params)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // n))
    _say_all("in all", config, [_measured(config, member, asked[member.entry.name], opened) for member in members], n)
    _say("what is finished already is not done again")


def _estimate(config: Config, found: Sequence[Outlined | None], asked: dict[str, tuple[Prompt, ...]]) -> None:
    """The first answer, of the sizes whose shapes can be told before they are opened."""
    device = choose_device(config.device.name)
    known = sorted((of for of in found if of is not None), key=lambda of: of.tracked.loaded.n_params)
    sizes, n = [], 1
    for of in known:
        n = at_once(config.device, device.type, of.tracked.loaded.n_params)
        work = work_of(of, config, [each.text for each in asked[of.entry.name]])
        schedule = schedule_of(device, config.device.memory, min(n, len(config.model)))
        speeds = assumed(device.type, work.shapes.n_params)
        sizes.append(forecast(work, speeds, config, schedule))
        _head(f"{of.entry.name}, estimated from sizes alone")
        for stage in [*sizes[-1], *asking(work, speeds, config, schedule)]:
            _row(stage)
    if sizes:
        _say_all("in all, estimated", config, sizes, n)
        _say("now measured on a few documents and prompts; times may be a few times less or more until then")


def _measured(config: Config, member: Member, prompts: Sequence[Prompt], opened: float) -> list[Stage]:
    """The stages of a size, each printed when all that it stands on is measured."""
    of = Outlined(member.entry, member.parent.entry if member.parent else None, member.tracked, member.corpus)
    by_length, schedule = sorted(prompts, key=lambda each: len(each.text)), member.tracked.schedule
    work = work_of(of, config, [each.text for each in prompts])
    first = assumed(member.loaded.device.type, work.shapes.n_params)
    speeds, known, told = replace(first, opened=opened), set[str](), set[str]()
    _head(f"{member.entry.name}, measured")
    for found in measure(member, by_length, work, first):
        known |= set(found)
        speeds, work = with_found(speeds, work, found)
        for stage in forecast(work, speeds, config, schedule):
            if stage.name not in told and NEEDS.get(stage.name, MEASURED) <= known:
                told.add(stage.name)
                _row(stage)
    for stage in asking(work, speeds, config, schedule):
        _row(stage)
    return forecast(work, speeds, config, schedule)


def with_found(speeds: Speeds, work: Work, found: Found) -> tuple[Speeds, Work]:
    """What is known better now."""
    of_speeds = {name: value for name, value in found.items() if name in MEASURED}
    of_work = {name: value for name, value in found.items() if name not in MEASURED}
    return replace(speeds, **of_speeds), replace(work, **of_work)


def _head(title: str) -> None:
    _say(title)
    _say(f"{'stage':<22}{'time':>10}{'memory':>10}{'disk':>10}")


def _row(stage: Stage) -> None:
    disk = "" if stage.name in (FIRST, ASK) else size(stage.disk)
    _say(f"{stage.name:<22}{duration(stage.seconds):>10}{size(stage.memory):>10}{disk:>10}".rstrip())


def _say_all(begin: str, config: Config, sizes: Sequence[Sequence[Stage]], n: int) -> None:
    memory = sorted((max(stage.memory for stage in stages) for stages in sizes), reverse=True)[:n]
    stages = [stage for each in sizes for stage in each]
    folder = config.output.folder
    disk = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    free = free_memory(torch.device("cpu")) + resident()  # what this process holds, a build will
    _say(
        f"{begin}: about {duration(wall_seconds(sizes, n))} with {n} {'process' if n == 1 else 'processes'}, "
        f"{size(sum(memory))} of memory at the highest (free: {size(free)}), {size(sum(s.disk for s in stages))} of "
        f"disk (free: {size(disk)})"
    )
    if rows := sum(stage.rows for stage in stages if stage.name == INSIDE):
        of_them = size(sum(stage.disk for stage in stages if stage.name == INSIDE))
        _say(f"heads and neurons are about {rows:,} rows, {of_them} of it: fewer with [inside]")
    if rows := sum(stage.rows for stage in stages if stage.name == GROUPS):
        of_them = size(sum(stage.disk for stage in stages if stage.name == GROUPS))
        _say(f"whole groups are about {rows:,} rows, with their gradients {of_them}: less with [groups]")
    for line in advice(stages, free / len(memory), disk):
        _say(line)


def _say(line: str) -> None:
    print(line, flush=True)
