"""EDGE: stages that survive: each part computed into scratch, hashed, renamed, then a line in `journal.jsonl`.

What the journal lists with the right key and the right bytes is never computed again; all else is.
"""

import dataclasses
import hashlib
import json
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from attribution.errors import BadInput, Damaged
from indexer.journal.away import Asked, Reached, asked, hands
from indexer.journal.claims import Claims, claims
from indexer.journal.faults import fault
from indexer.journal.files import disk_room, folder_hashes, folder_stamps, replace_file, sync, sync_tree
from indexer.journal.lines import Finished as Finished
from indexer.journal.lines import append, line_of
from indexer.journal.lines import finished as finished
from indexer.journal.part import Compute, Partition, Tick, run_here, run_in_child

_MAY_COMPUTE: ContextVar[bool] = ContextVar("may compute", default=True)
_SCRATCH = re.compile(r".*-([0-9a-f]{16})\.\d+\.partial", re.DOTALL)  # label-key.number.partial, see _finish
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Key = str | Mapping[Any, str]  # of a stage, or part -> what it depends on


class NotFinished(Exception):
    """A part that would have to be computed, where nothing may be."""


@contextmanager
def only_finished() -> Iterator[None]:
    """Inside, `stage` computes nothing: at the first part that is not finished it raises NotFinished."""
    before = _MAY_COMPUTE.set(False)
    try:
        yield
    finally:
        _MAY_COMPUTE.reset(before)


def key(**dependencies: Any) -> str:
    """16 hex digits over everything that a stage depends on: hashes, settings (dataclasses too), versions."""
    content = json.dumps(dependencies, sort_keys=True, default=_plain)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def stage(
    folder: Path,
    name: str,
    key: Key,
    parts: Sequence[str | int],
    compute: Compute,
    *,
    isolate: bool = False,
    away: bool = False,
    done: Callable[[Finished, bool], None] | None = None,
    tick: Tick | None = None,
) -> list[Finished]:
    """Finish every part of a stage in the output folder, which the caller has locked; returned in the order of `parts`.

    key: of what all parts depend on, or what each of them does by itself.
    `compute(part)` writes below `part.folder`, in a child process of its own if `isolate`. `done(finished, fresh)` is
    called after each part; `fresh` is False for one that was found finished, or computed elsewhere. `tick` is
    `part.tick`, also for a child process. Several processes may work on one stage: each part is computed by one of
    them; of a stage that may go `away` by whoever hands parts out, if there is one (`indexer.journal.away`). Raises
    TryAgain when the disk is full.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(f"expected a stage named by letters, digits, '.', '_' and '-', found {name!r}; rename the model")
    if (wanted := asked()) is not None:
        return _as_asked(wanted, folder, name, key, parts, compute)
    with claims(folder) as held:
        _remove_abandoned(folder / "parts" / name, held)
        listed = {each.part: each for each in finished(folder, name)}
        results: dict[str | int, Finished] = {}
        for back in _from_away(folder, name, key, parts, listed) if away else ():
            results[back.part] = back
            if done is not None:
                done(back, False)
        for wait in (False, True):  # what another process computes is waited for when nothing else is left to do
            for value in parts:
                if value in results:
                    continue
                part = Partition(name, value, _part_key(name, key, value), folder, **({"tick": tick} if tick else {}))
                made = _stands(listed.get(value), part)
                fresh = made is None
                if made is None:
                    if not _MAY_COMPUTE.get():
                        raise NotFinished(f"{name}, part {value}")
                    if not held.take(part.key, wait):
                        continue
                    try:
                        made, fresh = _made(folder, part, compute, isolate)
                    finally:
                        held.leave(part.key)
                results[value] = made
                if done is not None:
                    done(made, fresh)
    return [results[value] for value in parts]


def _from_away(
    folder: Path, name: str, key: Key, values: Sequence[str | int], listed: Mapping[str | int, Finished]
) -> Iterator[Finished]:
    """What is not finished, where somebody hands parts out, each listed when it has come back."""
    out = hands()
    if out is None or not _MAY_COMPUTE.get():
        return
    parts = [Partition(name, value, _part_key(name, key, value), folder) for value in values]
    missing = [part for part in parts if _stands(listed.get(part.value), part) is None]
    for made in out.compute(folder, missing) if missing else ():
        append(folder, made)
        _forget(listed.get(made.part), made)
        yield made


def _as_asked(
    wanted: Asked, folder: Path, name: str, stage_key: Key, values: Sequence[str | int], compute: Compute
) -> list[Finished]:
    """For another process: what stands before the stage is found, as it was when nobody has touched it since."""
    if name != wanted.stage:
        listed = {each.part: each for each in finished(folder, name)}
        for value in values:
            if value not in listed or listed[value].key != _part_key(name, stage_key, value):
                raise NotFinished(f"{name}, part {value}")
            intact(listed[value])
        return [listed[value] for value in values]
    for value, expected in wanted.keys.items():
        if (own := _part_key(name, stage_key, value)) != expected:
            raise BadInput(
                f"expected {name} part {value} under the key {expected}, found {own} on {socket.gethostname()}; give "
                "this node the same code, libraries and model"
            )
        if not wanted.is_there(expected):
            part = Partition(name, value, expected, folder)
            wanted.made(_finish(folder, part, compute, isolate=False, alone=False))
    raise Reached


def _stands(listed: Finished | None, part: Partition) -> Finished | None:
    return listed if listed is not None and listed.key == part.key and is_whole(listed) else None


def _made(folder: Path, part: Partition, compute: Compute, isolate: bool) -> tuple[Finished, bool]:
    """A claimed part: what another process has finished meanwhile, or computed here."""
    before = {each.part: each for each in finished(folder, part.stage)}.get(part.value)
    found = _stands(before, part)
    if found is not None:
        return found, False
    result = _finish(folder, part, compute, isolate)
    _forget(before, result)
    return result, True


def _forget(before: Finished | None, now: Finished) -> None:
    if before is not None and before.folder != now.folder:
        shutil.rmtree(before.folder, ignore_errors=True)  # of other settings: the journal has forgotten it


def _remove_abandoned(home: Path, held: Claims) -> None:
    """Scratch of processes that were killed while they wrote: those whose part nobody has claimed, or that is none."""
    for scratch in home.glob("*.partial"):
        named = _SCRATCH.fullmatch(scratch.name)
        if named is None:
            shutil.rmtree(scratch, ignore_errors=True)
        elif held.take(named[1]):
            shutil.rmtree(scratch, ignore_errors=True)
            held.leave(named[1])


def under_key(folder: Path, name: str, key: str) -> list[Finished]:
    """Parts of a stage that the journal lists under this key, whatever they are called; the files are not looked at."""
    return _under_key(finished(folder, name), key)


def _under_key(parts: Iterable[Finished], key: str) -> list[Finished]:
    return [part for part in parts if part.key == _part_key(part.stage, key, part.part)]


def found(
    folder: Path, name: str, key: str, values: Sequence[str | int] | Callable[[list[Finished]], Sequence[str | int]]
) -> list[Finished]:
    """Parts that were finished under this key, in this order, intact; for readers, which compute nothing.

    values: the parts, or what tells them from those that are listed under the key. Raises BadInput, with the command
    that builds them, when the folder lacks one or has it of other settings; Damaged when its files are not what was
    written.
    """
    listed = {each.part: each for each in finished(folder, name)}
    if callable(values):
        values = values(_under_key(listed.values(), key))
    parts = []
    for value in values:
        part = listed.get(value)
        if part is None or part.key != _part_key(name, key, value):
            what = "none" if part is None else "that of other weights, documents or settings"
            raise BadInput(f"expected {name} of this configuration in {folder}, found {what}; run `whence build`")
        intact(part)
        parts.append(part)
    return parts


def intact(part: Finished) -> None:
    """Raises Damaged, naming the first file, when a part is not what was written.

    Files that nobody has touched since are not read: opening a large index takes no longer than opening a small one.
    Bytes that rot on the disk are found by `check` and by the next `build`, which read all of them.
    """
    if part.stamps and folder_stamps(part.folder) == part.stamps:
        return
    wrong = changes(part)
    if wrong:
        file, how = next(iter(wrong.items()))
        raise Damaged(f"expected {part.stage} as it was written, found {file} {how}; run `whence build` again")


def is_whole(part: Finished) -> bool:
    """Whether the part's folder holds exactly the listed files with the listed bytes."""
    return not changes(part)


def changes(part: Finished) -> dict[str, str]:
    """File -> "changed", "missing" or "not listed", for every file of the part that is not as the journal says."""
    found = folder_hashes(part.folder)
    wrong = {name: "not listed" for name in found if name not in part.files}
    for name, sha256 in part.files.items():
        if found.get(name) != sha256:
            wrong[name] = "changed" if name in found else "missing"
    return wrong if part.folder.is_dir() else {".": "missing"}


def is_finished(folder: Path, name: str, key: str, values: Sequence[str | int]) -> bool:
    """Whether `stage` has only to read these parts."""
    try:
        found(folder, name, key, values)
    except (BadInput, Damaged):
        return False
    return True


def drop(folder: Path, parts: Sequence[Finished]) -> None:
    """Strike parts from the journal, and lines that list nothing; then remove their files: a build redoes them."""
    gone = {(each.stage, each.part, each.key) for each in parts}
    kept = [each for each in finished(folder) if (each.stage, each.part, each.key) not in gone]
    replace_file(folder / "journal.jsonl", "".join(line_of(folder, each) for each in kept), "rewrite")
    for each in parts:
        shutil.rmtree(each.folder, ignore_errors=True)
        fault("repair.removed")


def _finish(folder: Path, part: Partition, compute: Compute, isolate: bool, alone: bool = True) -> Finished:
    """alone: nobody else computes this part; else its folder has a number of its own, so that nothing is overwritten"""
    label = re.sub(r"[^A-Za-z0-9._-]+", "_", str(part.value))[:60]
    home = folder / "parts" / part.stage
    number = secrets.randbelow(10**12)  # not the process's: two machines may have processes of one number
    target = home / (f"{label}-{part.key}" if alone else f"{label}-{part.key}.{number}")
    scratch = home / f"{label}-{part.key}.{number}.partial"
    started = time.monotonic()
    try:
        with disk_room(home.resolve().parents[1]):  # of a node: the folder that it shares with others
            scratch.mkdir(parents=True)
            fault("partition.start")
            (run_in_child if isolate else run_here)(compute, dataclasses.replace(part, folder=scratch))
            fault("partition.computed")
            files, stamps = folder_hashes(scratch), folder_stamps(scratch)
            fault("partition.hashed")
            sync_tree(scratch)
            fault("partition.synced")
            shutil.rmtree(target, ignore_errors=True)  # a damaged or unlisted one
            scratch.rename(target)
            fault("partition.moved")
            sync(home)
            fault("partition.renamed")
            seconds = round(time.monotonic() - started, 3)
            result = Finished(part.stage, part.value, part.key, target, files, seconds, stamps)
            append(folder, result)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return result


def _part_key(name: str, stage_key: Key, value: str | int) -> str:
    return key(stage=name, key=stage_key if isinstance(stage_key, str) else stage_key[value], part=value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} cannot be part of a key; give its hash")
