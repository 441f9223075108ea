"""What the heads and neurons of a model did at the tokens of one answer; nothing in a file of an earlier build."""

from collections.abc import Callable
from typing import Any, TypeVar

from dashboard.database.components.records import Effect, Floats, LensPoint, Replaced, Split, Taught
from dashboard.database.components.rows import effect_of, lens_of, replaced_of, taught_of, weights_of
from dashboard.database.queries.rows import Snapshot, arrays, has_table, kept

T = TypeVar("T")


@kept(16)
def split(snapshot: Snapshot, model_id: str) -> Split | None:
    """What a model consists of; None where components are not computed."""
    if not has_table(snapshot, "component_model"):
        return None
    sql = """SELECT n_layers AS n_blocks, n_heads, n_kv_heads, n_neurons, coalesce(notice, '') AS notice
        FROM component_model JOIN model USING (model_id) WHERE model_id = ?"""
    for row in snapshot.rows(sql, [model_id]):
        counts = {name: int(row[name] or 0) for name in ("n_blocks", "n_heads", "n_kv_heads", "n_neurons")}
        return Split(**counts, notice=row["notice"])
    return None


@kept(16)
def split_run(snapshot: Snapshot, model_id: str) -> str:
    """The run of a model whose scores are split by component; "" where none is."""
    if not has_table(snapshot, "component_taught"):
        return ""
    sql = """SELECT run_id FROM run WHERE model_id = ? AND EXISTS (
            SELECT 1 FROM component_taught WHERE component_taught.run_id = run.run_id LIMIT 1)
        ORDER BY method <> 'ekfac', run_id LIMIT 1"""
    return next((row["run_id"] for row in snapshot.rows(sql, [model_id])), "")


@kept(16)
def effects(snapshot: Snapshot, generation_id: str, first: int, last: int) -> list[Effect]:
    """What the components write at the tokens first..last, in their order."""
    return _read(snapshot, "component_effect", effect_of, "position", [generation_id, first, last])


@kept(8)
def taught(snapshot: Snapshot, run_id: str, generation_id: str, first: int, last: int) -> list[Taught]:
    """What the kept documents of these tokens did through each component."""
    if not has_table(snapshot, "component_taught"):
        return []
    sql = """SELECT * FROM component_taught WHERE run_id = ? AND generation_id = ? AND position BETWEEN ? AND ?
        ORDER BY position, document_id"""
    table = snapshot.query(sql, [run_id, generation_id, first, last])
    lists = ("head_scores", "kv_head_scores", "neurons", "neuron_scores")  # many numbers: as arrays, not one by one
    columns = {name: arrays(table[name]) if name in lists else table[name].to_pylist() for name in table.column_names}
    return [taught_of(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


@kept(16)
def replaced(snapshot: Snapshot, generation_id: str, first: int, last: int) -> list[Replaced]:
    """The components that were really replaced."""
    order = "position, kind, abs(measured) DESC, depth, number"
    return _read(snapshot, "component_measured", replaced_of, order, [generation_id, first, last])


@kept(16)
def attention(snapshot: Snapshot, generation_id: str, first: int, last: int, depth: int, head: int) -> list[Floats]:
    """What one head attends to from each of these tokens: weights over the prompt and the answer before the token."""
    return _read(
        snapshot, "component_attention", weights_of, "position", [generation_id, first, last, depth, head],
        " AND depth = ? AND head = ?",
    )  # fmt: skip


@kept(16)
def attention_of_all(snapshot: Snapshot, generation_id: str, position: int) -> dict[tuple[int, int], Floats]:
    """(depth, head) -> the same from one token, of every head for which it is stored."""

    def of(row: dict[str, Any]) -> tuple[tuple[int, int], Floats]:
        return (row["depth"], row["head"]), weights_of(row)

    return dict(_read(snapshot, "component_attention", of, "depth, head", [generation_id, position, position]))


@kept(32)
def lens(snapshot: Snapshot, generation_id: str, first: int, last: int) -> list[LensPoint]:
    """What the model would have said at these tokens after each block."""
    return _read(snapshot, "lens", lens_of, "position, depth", [generation_id, first, last])


def _read(
    snapshot: Snapshot, table: str, of: Callable[[dict[str, Any]], T], order: str, values: list[Any], more: str = ""
) -> list[T]:
    if not has_table(snapshot, table):
        return []
    sql = f"""SELECT * FROM {table} WHERE generation_id = ? AND position BETWEEN ? AND ?{more}
        ORDER BY {order}"""  # noqa: S608 (names of ours)
    return [of(row) for row in snapshot.rows(sql, values)]
