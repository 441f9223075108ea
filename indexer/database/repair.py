"""EDGE: removes what is damaged, so that a build redoes only that, and what is old; the caller holds the lock."""

import shutil
from pathlib import Path

from indexer.database.beside import files_beside, is_whole_beside, named_by
from indexer.database.gone import fits_of_gone_sizes, of_gone_sizes
from indexer.database.publish import shards_of
from indexer.database.snapshot_file import is_whole_snapshot, point_at, read_current, snapshots
from indexer.journal.faults import fault
from indexer.journal.files import disk_room
from indexer.journal.lines import unreadable_lines
from indexer.journal.stages import Finished, drop, finished, is_whole


def repair(folder: Path) -> list[str]:
    """Drop damaged partitions, journal lines and snapshots; one line for each. What is whole stays as it is.

    `CURRENT` goes back to the newest whole generation; without one it is removed, and the next build publishes. Raises
    TryAgain when the disk is full; what was dropped before stays dropped.
    """
    with disk_room(folder):
        return _repaired(folder)


def _repaired(folder: Path) -> list[str]:
    done = []
    damaged = [part for part in finished(folder) if not is_whole(part)]
    torn = unreadable_lines(folder)
    if damaged or torn:
        drop(folder, damaged)
    done += [f"journal.jsonl: dropped line {number}, which could not be read" for number in torn]
    done += [f"stage {part.stage}, part {part.part}: dropped, a build computes it again" for part in damaged]
    for _, path in snapshots(folder):
        log = path.with_name(path.name + ".wal")
        if log.exists():
            log.unlink()
            fault("repair.removed")
            done.append(f"{log.name}: removed, it is not ours")
        if not is_whole_snapshot(path):
            path.unlink()
            fault("repair.removed")
            done.append(f"{path.name}: removed, a build publishes again")
    for path in files_beside(folder):
        if not is_whole_beside(path):
            path.unlink()
            fault("repair.removed")
            done.append(f"{path.name}: removed, a build publishes again")
    return done + _point_at_whole(folder)


def collect(folder: Path, keep: int = 3) -> list[Path]:
    """Remove all but the newest `keep` generations (never the current one), documents that none of them reads, parts
    that were left behind when the current one was made, all parts of sizes that its configuration does not name, and
    what no journal line lists; returned.

    A reader that has an old file open goes on reading it: the system frees it after the last close.
    """
    with disk_room(folder):
        return _collected(folder, keep)


def _collected(folder: Path, keep: int) -> list[Path]:
    current = read_current(folder)
    old = [path for _, path in snapshots(folder)[max(keep, 1) :] if current is None or path.name != current.database]
    staying = [path for _, path in snapshots(folder) if path not in old]
    read = named_by(staying)
    old += [path for path in files_beside(folder) if path.name not in read]
    behind = left_behind(folder)
    if current is not None:
        known = {part.folder for part in behind}
        behind += [part for part in of_gone_sizes(folder, current) if part.folder not in known]
    if behind:
        drop(folder, behind)
    listed = {part.folder for part in finished(folder)}
    unlisted = [path for path in folder.glob("parts/*/*") if path not in listed]
    removed = [*old, *unlisted, *folder.glob("*.partial*"), *(fits_of_gone_sizes(folder, current) if current else [])]
    for path in removed:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        fault("gc.removed")
    return [*(part.folder for part in behind), *removed]


def left_behind(folder: Path) -> list[Finished]:
    """Parts with rows that the current generation was not made from, though it was made later and from others of their
    stage: those of earlier prompts. What an unfinished build has made is no such part.
    """
    current = read_current(folder)
    if current is None:
        return []
    published = (folder / "CURRENT").stat().st_mtime_ns
    parts, held = finished(folder), set(current.shards)
    stages = {part.stage for part in parts if shards_of(part) and shards_of(part) <= held}
    return [
        part
        for part in parts
        if part.stage in stages
        and not shards_of(part) <= held
        and part.folder.is_dir()
        and part.folder.stat().st_mtime_ns < published
    ]


def _point_at_whole(folder: Path) -> list[str]:
    current = read_current(folder)
    if current is not None and (folder / current.database).is_file():
        return []
    whole = snapshots(folder)
    if not whole:
        existed = (folder / "CURRENT").exists()
        (folder / "CURRENT").unlink(missing_ok=True)
        return ["CURRENT: removed, no whole generation is left; a build publishes again"] if existed else []
    generation, path = whole[0]
    point_at(folder, path, generation, content="", shards=[])  # made from what is not known: a build publishes again
    return [f"CURRENT: names {path.name} again"]
