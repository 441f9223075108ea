"""From rows of the database to records: the one place where its missing values become ours."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dashboard.database.records import Generation, Heat, KeptScores, Model
from indexer.database.memory import Memory
from indexer.database.tables.answer_kind import answer_kinds

# what the user of a prompt asks (of a chat, the last time): without documents, other turns and the template's words
ASKED = """coalesce((SELECT last(substr(prompt.text, asked.start + 1, asked.stop - asked.start) ORDER BY part)
    FROM prompt_part AS asked
    WHERE asked.prompt_id = prompt.prompt_id AND asked.kind = 'question' AND coalesce(asked.title, '') = ''),
    prompt.text)"""

LISTED = 500  # documents that are asked for by a list of values

P = ParamSpec("P")
T = TypeVar("T")


class Snapshot(Protocol):
    """What a question needs of indexer.database.reader.Snapshot: the published database of one rerun."""

    @property
    def name(self) -> str: ...
    @property
    def notice(self) -> str: ...
    @property
    def memory(self) -> Memory: ...
    def query(self, sql: str, values: Any = ()) -> pa.Table: ...
    def rows(self, sql: str, values: Any = ()) -> list[dict[str, Any]]: ...


def kept(most: int) -> Callable[[Callable[Concatenate[Snapshot, P], T]], Callable[Concatenate[Snapshot, P], T]]:
    """For questions: the answers to the `most` last values are kept with the snapshot. Nobody may change an answer."""

    def keep(question: Callable[Concatenate[Snapshot, P], T]) -> Callable[Concatenate[Snapshot, P], T]:
        name = f"{question.__module__}.{question.__qualname__}"

        @wraps(question)
        def asked(snapshot: Snapshot, /, *values: P.args, **named: P.kwargs) -> T:
            key = (*(_hashable(value) for value in values), *sorted(named.items()))
            answer: T = snapshot.memory.ask(name, key, lambda: question(snapshot, *values, **named), most)
            return answer

        return asked

    return keep


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


@kept(64)
def has_table(snapshot: Snapshot, name: str) -> bool:
    """Whether a database holds this table: one that an older Whence wrote may lack the newest."""
    return bool(snapshot.rows("SELECT 1 AS one FROM information_schema.tables WHERE table_name = ?", [name]))


@kept(16)
def has_column(snapshot: Snapshot, table: str, name: str) -> bool:
    """The same of a column."""
    sql = "SELECT 1 AS one FROM information_schema.columns WHERE table_name = ? AND column_name = ?"
    return bool(snapshot.rows(sql, [table, name]))


def kinds_of_answers(snapshot: Snapshot) -> str:
    """The table `answer_kind`, or what would be in it, in brackets: an older file does without."""
    if has_table(snapshot, "answer_kind"):
        return "answer_kind"
    estimators = has_column(snapshot, "answer_source", "sum_document_id")
    return f"({answer_kinds(estimators, has_table(snapshot, 'verbatim'))})"


def listed(values: Collection[str]) -> str:
    """A place for each value: by a list of values whole blocks of rows are passed over."""
    return ", ".join("?" * len(values))


def among(document_ids: Sequence[str]) -> tuple[str, list[Any]]:
    """The condition that a document is one of these, with its values. Of a list of values whole blocks of a large
    corpus are passed over; of a table of more than fifty DuckDB reads all of it."""
    if 0 < len(document_ids) <= LISTED:
        return f"document_id IN ({listed(document_ids)})", list(document_ids)
    return "document_id IN (SELECT unnest(?::VARCHAR[]))", [list(document_ids)]


def record(kind: Any, row: Mapping[str, Any]) -> Any:
    """The fields of the record that the row has; text columns without a value become ''.

    A column that an older Whence did not write leaves the field at its default; without one it is a KeyError.
    """
    values = {}
    for name, of in kind.__dataclass_fields__.items():
        if name not in row and of.default is not MISSING:
            continue
        value = row[name]
        values[name] = "" if value is None and of.type in (str, "str") else value
    return kind(**values)


def model_of(row: Mapping[str, Any]) -> Model:
    model: Model = record(Model, row)
    return model


def generation_of(row: Mapping[str, Any]) -> Generation:
    names = ("generation_id", "prompt_id", "prompt", "kind", "topic", "answer", "text")
    texts = {name: row[name] or "" for name in names}
    return Generation(**texts, created_at=row["created_at"], model=model_of(row))


def numbers(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """The row with NaN where these columns have no value."""
    return row | {name: float("nan") if row[name] is None else row[name] for name in names}


def floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """[N] with NaN where the database has no value."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def arrays(column: pa.ChunkedArray) -> list[NDArray[Any]]:
    """Of a column of lists, each as an array; [0] where the database has none."""
    found = []
    for chunk in column.chunks:
        values, offsets = chunk.values.to_numpy(zero_copy_only=False), chunk.offsets.to_numpy()
        found += [values[start:stop] for start, stop in zip(offsets, offsets[1:], strict=False)]
    return found


def of_the_query(snapshot: Snapshot, table: str) -> str:
    """The column of `kept_scores_of` that databases of earlier versions lack: what they have is that of the last stage
    of training alone, so that they have no cosine."""
    name = "query_self_influence"
    return name if has_column(snapshot, table, name) else f"NULL::FLOAT AS {name}"


def kept_scores_of(table: pa.Table) -> KeptScores:
    """Kept scores, from a table with columns of their names."""
    layers = [row or [] for row in table["layer_scores"].to_pylist()]
    depth = max((len(row) for row in layers), default=0)
    return KeptScores(
        position=table["position"].to_numpy().astype(np.int64),
        rank=table["rank"].to_numpy().astype(np.int64),
        document_id=table["document_id"].to_pylist(),
        score=floats(table["score"]),
        self_influence=floats(table["self_influence"]),
        grad_norm=floats(table["grad_norm"]),
        solve_norm=floats(table["solve_norm"]),
        query_self_influence=floats(table["query_self_influence"]),
        layer_scores=np.array([row or [np.nan] * depth for row in layers], dtype=np.float64).reshape(
            len(layers), depth
        ),
    )


def summed_layers(table: pa.Table) -> dict[int, NDArray[np.float64]]:
    """place -> [L] sum of its rows, from columns `place` and `layer_scores`; without places whose rows differ in L."""
    rows: dict[int, list[NDArray[Any]]] = {}
    for place, layers in zip(table["place"].to_pylist(), arrays(table["layer_scores"]), strict=True):
        rows.setdefault(place, []).append(layers)
    return {
        place: np.sum(of, axis=0, dtype=np.float64)
        for place, of in rows.items()
        if len({each.size for each in of}) == 1
    }


def total_heat(texts: list[str], rows: Sequence[Mapping[str, Any]]) -> Heat:
    """What a document's tokens carry for several answer tokens: the sum of their rows, empty where lengths differ."""
    return Heat(texts, _total(rows, "shares"), _total(rows, "loss_influences"))


def _total(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    arrays = [np.asarray(row.get(name) or (), dtype=np.float64) for row in rows]
    return np.sum(arrays, axis=0) if len({array.size for array in arrays}) == 1 else np.empty(0)
