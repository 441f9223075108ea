"""EDGE: removes what is damaged, so that a build redoes only that, and what is old; the caller holds the lock."""

import shutil
from pathlib import Path

from indexer.database.snapshot_file import is_whole_snapshot, point_at, read_current, snapshots
from indexer.journal import drop, finished, is_whole, unreadable_lines


def repair(folder: Path) -> list[str]:
    """Drop damaged partitions, journal lines and snapshots; one line for each. What is whole stays as it is.

    `CURRENT` goes back to the newest whole generation; without one it is removed, and the next build publishes.
    """
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
            done.append(f"{log.name}: removed, it is not ours")
        if not is_whole_snapshot(path):
            path.unlink()
            done.append(f"{path.name}: removed, a build publishes again")
    return done + _point_at_whole(folder)


def collect(folder: Path, keep: int = 3) -> list[Path]:
    """Remove all but the newest `keep` generations (never the current one), and what no journal line lists; returned.

    A reader that has an old file open goes on reading it: the system frees it after the last close.
    """
    current = read_current(folder)
    old = [path for _, path in snapshots(folder)[max(keep, 1) :] if current is None or path.name != current.database]
    listed = {part.folder for part in finished(folder)}
    unlisted = [path for path in folder.glob("parts/*/*") if path not in listed]
    removed = [*old, *unlisted, *folder.glob("*.partial*")]
    for path in removed:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return removed


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
