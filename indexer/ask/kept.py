"""EDGE: the asked prompts of an output folder: a second small database, which outlives the server and the worker.

SQLite, since the worker, the command line and several dashboards may write and read it at once; it never touches the
published database. The newest `MOST` answers are kept. An answer carries a checksum of its row: one that somebody has
changed is not shown, and it is said that it is not.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.journal.files import seal, unseal
from indexer.worker.job import DONE, FAILED, Job, job_id

FILE = "asked.sqlite"
MOST = 500
WAIT = 5.0  # seconds for another writer
TABLE = """CREATE TABLE IF NOT EXISTS asked (asked_id TEXT PRIMARY KEY, created_at TEXT, model TEXT, prompt TEXT,
           text TEXT, request TEXT, result TEXT)"""
COLUMNS = "asked_id, created_at, model, prompt, text, request, result"


@dataclass(frozen=True)
class AskedPrompt:
    """One line of the list; `asked_id` is the id of the worker's job for the same question."""

    asked_id: str
    created_at: datetime
    model: str
    prompt: str
    text: str
    request: str = ""  # what was asked, as JSON


@dataclass(frozen=True)
class AskedPrompts:
    """The list, newest first, and a sentence about what could not be listed; "" when all could."""

    answers: list[AskedPrompt]
    notice: str = ""


def keep(folder: Path, request: dict[str, Any], result: dict[str, Any]) -> str:
    """Store an answer under the id of its question, in place of an older one; "" or why it could not be kept."""
    about = [
        job_id(request),
        datetime.now(UTC).isoformat(),
        *(str(result[name]) for name in ("model", "prompt", "text")),
        json.dumps(request),
    ]
    try:
        with _opened(folder) as db, db:
            row = [*about, seal({"about": about, "result": result})]
            db.execute("INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            db.execute(
                "DELETE FROM asked WHERE asked_id NOT IN (SELECT asked_id FROM asked ORDER BY created_at DESC LIMIT ?)",
                [MOST],
            )
    except (sqlite3.Error, UnicodeEncodeError) as error:  # an answer that cannot be kept is still an answer
        return _not_kept(folder, error)
    return ""


def _not_kept(folder: Path, error: Exception) -> str:
    return f"expected to keep this answer in {folder / FILE}, found: {error}"


def cannot_keep(folder: Path) -> str:
    """Why no answer can be kept in the folder of a build; "" where one can. Nothing is kept."""
    try:
        with _opened(folder) as db:
            db.execute("BEGIN IMMEDIATE")
            db.rollback()
    except sqlite3.Error as error:
        return _not_kept(folder, error)
    return ""


def kept(folder: Path) -> AskedPrompts:
    """All kept answers; none where the file is missing or is no database."""
    rows = _rows(
        folder, "SELECT asked_id, created_at, model, prompt, text, request FROM asked ORDER BY created_at DESC"
    )
    listed = [each for row in rows if (each := _listed(row)) is not None]
    n = len(rows) - len(listed)
    notice = f"{n:,} of the answers in {FILE} are not as they were kept, and are left out; ask again." if n else ""
    return AskedPrompts(listed, notice)


def kept_at(folder: Path, asked_id: str) -> str:
    """When an answer was kept, of which nothing else is read; "" when there is none."""
    for [at] in _rows(folder, "SELECT created_at FROM asked WHERE asked_id = ?", asked_id):
        return str(at)
    return ""


def kept_job(folder: Path, asked_id: str) -> Job | None:
    """The job of a kept answer, as if it had just ended; failed when its row was changed; None when there is none."""
    for row in _rows(folder, f"SELECT {COLUMNS} FROM asked WHERE asked_id = ?", asked_id):  # noqa: S608 - our columns
        *about, sealed = row
        try:
            stored = unseal(sealed)
            if stored["about"] != about:
                raise ValueError("a column was changed")
            request, result = json.loads(str(about[-1])), stored["result"]
        except (ValueError, KeyError, TypeError):
            said = f"Expected this answer in {FILE} as it was kept, found it changed; ask again."
            return Job(asked_id, {}, state=FAILED, fraction=1.0, error=said)
        return Job(asked_id, request, state=DONE, fraction=1.0, result=result)
    return None


def kept_since(folder: Path, asked_id: str, since: datetime) -> dict[str, Any] | None:
    """The result of a question that was kept after `since`, by another dashboard."""
    young = any(each.asked_id == asked_id and each.created_at >= since for each in kept(folder).answers)
    job = kept_job(folder, asked_id) if young else None
    return job.result if job is not None else None


def _listed(row: tuple[Any, ...]) -> AskedPrompt | None:
    asked_id, at, *of = row
    try:
        created = datetime.fromisoformat(at)
    except (ValueError, TypeError):
        return None
    return AskedPrompt(asked_id, created, *of) if all(isinstance(each, str) for each in (asked_id, *of)) else None


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
        db.text_factory = lambda text: text.decode("utf-8", "replace")  # changed bytes are found by the checksum
        db.execute(TABLE)
        yield db
