"""EDGE: the asked prompts of an output folder: a second small database, which outlives the server and the worker.

SQLite, since the worker, the command line and several dashboards may write and read it at once; it never touches the
published database. The newest `MOST` answers are kept.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.worker.job import DONE, Job, job_id

FILE = "asked.sqlite"
MOST = 500
WAIT = 5.0  # seconds for another writer
TABLE = """CREATE TABLE IF NOT EXISTS asked (asked_id TEXT PRIMARY KEY, created_at TEXT, model TEXT, prompt TEXT,
           text TEXT, request TEXT, result TEXT)"""


@dataclass(frozen=True)
class AskedPrompt:
    """One line of the list; `asked_id` is the id of the worker's job for the same question."""

    asked_id: str
    created_at: datetime
    model: str
    prompt: str
    text: str


def keep(folder: Path, request: dict[str, Any], result: dict[str, Any]) -> str:
    """Store an answer under the id of its question, in place of an older one; "" or why it could not be kept."""
    row = (
        job_id(request),
        datetime.now(UTC).isoformat(),
        str(result["model"]),
        str(result["prompt"]),
        str(result["text"]),
        json.dumps(request),
        json.dumps(result),
    )
    try:
        with _opened(folder) as db, db:
            db.execute("INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            db.execute(
                "DELETE FROM asked WHERE asked_id NOT IN (SELECT asked_id FROM asked ORDER BY created_at DESC LIMIT ?)",
                [MOST],
            )
    except (sqlite3.Error, UnicodeEncodeError) as error:  # an answer that cannot be kept is still an answer
        return f"expected to keep this answer in {folder / FILE}, found: {error}"
    return ""


def kept(folder: Path) -> list[AskedPrompt]:
    """All kept answers, newest first; none where the file is missing or is no database."""
    query = "SELECT asked_id, created_at, model, prompt, text FROM asked ORDER BY created_at DESC"
    return [AskedPrompt(id, datetime.fromisoformat(at), *of) for id, at, *of in _rows(folder, query)]


def kept_job(folder: Path, asked_id: str) -> Job | None:
    """The job of a kept answer, as if it had just ended; None when there is none."""
    for request, result in _rows(folder, "SELECT request, result FROM asked WHERE asked_id = ?", asked_id):
        return Job(asked_id, json.loads(request), state=DONE, fraction=1.0, result=json.loads(result))
    return None


def _rows(folder: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    if not (folder / FILE).is_file():
        return []
    try:
        with _opened(folder) as db:
            return db.execute(query, values).fetchall()
    except sqlite3.Error:
        return []


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / FILE, timeout=WAIT)) as db:
        db.execute(TABLE)
        yield db
