"""EDGE: words, groups, target sets, verbatim spans and cleaning in a database: `python -m tests.benchmarks many`.

Of a built database (`--folder`; that of the demo if not given) rows and MB of their tables, and milliseconds of every
question and of the pages that ask them; then the same of the drawn database of so many rows of influence (`--rows`).
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import duckdb

from indexer.database.reader import Database
from indexer.database.snapshot_file import read_current
from indexer.database.tables import groups, sets, spans, verbatim
from tests.benchmarks.large_database import build_large
from tests.benchmarks.questions_many import MANY, PAGES, Place, places

TABLES = [table for subject in (spans, groups, sets, verbatim) for table in subject.TABLES]
TABLES += ["relabel", "document_relabel", "answer_group"]
WARM, COLD, REPEATS = 0.050, 0.300, 30  # seconds that are allowed; answers with other values


def main() -> int:
    """Exit code 1 when a question of the drawn database takes longer than allowed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("data/demo/build"), help="a built database")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of influence in the drawn database; 0: none")
    parser.add_argument("--drawn", type=Path, help="keeps the drawn database; otherwise it is removed")
    given = parser.parse_args()
    if read_current(given.folder) is None:
        print(f"no database in {given.folder}: build it for the first table")
    else:
        show(given.folder)
    if not given.rows:
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        drawn = given.drawn or Path(scratch)
        _, seconds = build_large(drawn, given.rows)
        print(
            f"\n{given.rows:,} rows of influence; wrote {seconds['write']:.0f} s, published {seconds['publish']:.0f} s"
        )
        return int(show(drawn) > 0)


def show(folder: Path) -> int:
    """Print the tables and the questions; returns how many questions were too slow."""
    show_tables(folder)
    print(f"\n{'question':38}{'cold ms':>10}{'median ms':>11}{'slowest ms':>12}")
    return sum(show_question(folder, name, question) for name, question in (MANY | PAGES).items())


def show_tables(folder: Path) -> None:
    """Rows and MB of each table that the file has."""
    current = read_current(folder)
    assert current is not None  # noqa: S101 - the caller has looked
    print(f"{'table':24}{'rows':>12}{'MB':>8}")
    with duckdb.connect(str(folder / current.database), read_only=True) as db:
        held = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        for table in TABLES:
            if table not in held:
                print(f"{table:24}{'not there':>12}")
                continue
            [(n,)] = db.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - a table of ours
            stored = "SELECT count(DISTINCT block_id) FROM pragma_storage_info(?) WHERE block_id >= 0"
            [(blocks,)] = db.execute(stored, [table]).fetchall()
            print(f"{table:24}{n:12,}{blocks * 262_144 / 1e6:8.2f}")
        [(size,)] = db.execute("SELECT sum(total_blocks * block_size) FROM pragma_database_size()").fetchall()
        print(f"{'the whole database':24}{'':12}{size / 1e6:8.2f}")


def show_question(folder: Path, name: str, question: Callable[[Place], object]) -> bool:
    """First answer of a new connection, median and slowest of 30 with other values; True where that is too slow."""
    seconds = []
    for at in islice(places(Database(folder).current(), 0), REPEATS + 1):
        at.snapshot.memory.forget()  # type: ignore[attr-defined] # the database is timed, not what is remembered of it
        begun = time.perf_counter()
        question(at)
        seconds.append(time.perf_counter() - begun)
    cold, *warm = seconds
    slow = statistics.median(warm) > WARM or cold > COLD
    mark = "  <- over 50 / 300" if slow else ""
    median, slowest = statistics.median(warm) * 1e3, max(warm) * 1e3
    print(f"{name:38}{cold * 1e3:10.1f}{median:11.2f}{slowest:12.1f}{mark}")
    return slow


if __name__ == "__main__":
    sys.exit(main())
