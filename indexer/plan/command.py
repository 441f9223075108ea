"""EDGE: the `plan` command: a table of what a build will take; nothing is written."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace

import torch
from rich.console import Console
from rich.table import Table

from attribution.index.compress import budget
from indexer.config.config import Config, Model
from indexer.config.estimator import estimators
from indexer.corpus.prompt_file import read_prompts
from indexer.pipeline.build import in_order
from indexer.plan.forecast import Stage, Work, forecast, wall_seconds
from indexer.plan.units import measure, resident
from indexer.size.member import Member, open_member
from indexer.tracing.groups import BUDGET

WEIGHT = 4  # bytes


def run(config: Config, chosen: Sequence[Model]) -> None:
    """Measure, forecast, print. Raises BadInput for whatever `build` would refuse of models, documents and prompts."""
    console = Console(highlight=False)
    first = open_member(chosen[0], config)
    alone = _without_weights(first)
    members = in_order([first, *(open_member(entry, config) for entry in chosen[1:])])
    at_once = config.device.at_once(members[0].loaded.device.type)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // at_once))
    sizes = []
    for member in members:
        prompts = read_prompts(member.entry.prompts or config.prompts.file)
        by_length = sorted(prompts, key=lambda each: len(each.text))
        units = replace(measure(member, by_length), resident=alone + member.loaded.n_params * WEIGHT)
        sizes.append(forecast(_work(member, len(prompts)), units, config, BUDGET))
        _show(console, member.entry.name, sizes[-1])
    seconds = wall_seconds(sizes, at_once)
    memory = sorted((max(stage.memory for stage in stages) for stages in sizes), reverse=True)[:at_once]
    disk = sum(stage.disk for stages in sizes for stage in stages)
    folder = config.output.folder
    free = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    console.print(
        f"in all: about {_duration(seconds)} with {at_once} processes, {_size(sum(memory))} of memory at the highest, "
        f"{_size(disk)} of disk (free: {_size(free)})"
    )
    if disk > free:
        console.print("the disk has too little room: choose another [output] folder, or a smaller [index] rank")
    console.print("what is finished already is not done again", style="dim")


def _without_weights(member: Member) -> int:
    """Bytes of a process that has this size and its documents open, as long as it has opened nothing else."""
    n_rows = len(member.rows)  # made here
    return max(0, resident() - member.loaded.n_params * WEIGHT) if n_rows else 0


def _work(member: Member, n_prompts: int) -> Work:
    linear, embedding = member.tracked.linear, member.tracked.embedding
    return Work(
        n_documents=member.n_documents,
        n_params=member.loaded.n_params,
        n_tracked=member.tracked.n_linear,
        factor_numbers=sum(of.n_in**2 + of.n_out**2 + of.n_in * of.n_out for of in linear)
        + sum(of.n_out * of.n_in for of in embedding),
        n_prompts=n_prompts,
        index_bytes=budget(member.tracked, member.config.index.rank),
        n_embedding=sum(of.n_out * of.n_in for of in embedding),
        n_checkpoints=len(member.entry.checkpoints),
        n_stages=member.n_stages,
        learned_pairs=member.learned_pairs,
        others=tuple(method for method in member.config.scores.method[1:] if estimators()[method].applies(member)),
    )


def _show(console: Console, name: str, stages: Sequence[Stage]) -> None:
    table = Table(title=name, title_justify="left", box=None, pad_edge=False)
    for column in ("stage", "seconds", "memory", "disk"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage in stages:
        table.add_row(stage.name, f"{stage.seconds:.0f}", _size(stage.memory), _size(stage.disk))
    console.print(table)


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
