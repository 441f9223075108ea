"""One head or neuron over the whole database: what it reads, what it writes, what taught it, where it matters."""

from collections.abc import Sequence

from dashboard.database.components.name import Component
from dashboard.database.components.records import Activations, Context, Mattered, Spoken, Teacher
from dashboard.database.queries.rows import ASKED, Snapshot, has_table, kept, record


def contexts(snapshot: Snapshot, model_id: str, component: Component) -> list[Context]:
    """The training contexts in which it is strongest, each of another document."""
    if not has_table(snapshot, "component_context"):
        return []
    sql = """SELECT document_id, token_position, value FROM component_context
        WHERE model_id = ? AND kind = ? AND depth = ? AND number = ? ORDER BY rank"""
    place = [model_id, component.kind, component.depth, component.number]
    return [record(Context, row) for row in snapshot.rows(sql, place)]


def activations(snapshot: Snapshot, model_id: str, component: Component) -> Activations | None:
    """How strong a neuron is over the tokens of the corpus; None where that was not counted."""
    if component.kind != "neuron" or not has_table(snapshot, "neuron_activation"):
        return None
    sql = "SELECT edges, counts, mean FROM neuron_activation WHERE model_id = ? AND depth = ? AND number = ?"
    rows = snapshot.rows(sql, [model_id, component.depth, component.number])
    return record(Activations, rows[0]) if rows else None


@kept(16)
def spoken(snapshot: Snapshot, model_id: str, neurons: Sequence[Component]) -> dict[Component, Spoken]:
    """Which tokens the output of each of these neurons promotes and suppresses."""
    if not neurons or not has_table(snapshot, "component_tokens"):
        return {}
    sql = """SELECT * FROM component_tokens WHERE model_id = $model AND kind = 'neuron' AND depth IN (
            SELECT unnest($depths::INTEGER[]))
        AND (depth, number) IN (SELECT (unnest($depths::INTEGER[]), unnest($numbers::INTEGER[])))"""
    depths, numbers = [each.depth for each in neurons], [each.number for each in neurons]
    rows = snapshot.rows(sql, {"model": model_id, "depths": depths, "numbers": numbers})
    return {Component("neuron", row["depth"], row["number"]): record(Spoken, row) for row in rows}


def mattered(snapshot: Snapshot, model_id: str, component: Component, k: int) -> list[Mattered]:
    """The k answers in which it has its largest total effects, each by its strongest token."""
    if not has_table(snapshot, "component_answer"):
        return []
    sql = """SELECT generation_id, position, effect FROM component_answer
        WHERE model_id = ? AND kind = ? AND depth = ? AND number = ?
        ORDER BY abs(effect) DESC, generation_id LIMIT ?"""
    found = snapshot.rows(sql, [model_id, component.kind, component.depth, component.number, k])
    if not found:
        return []
    ids = [row["generation_id"] for row in found]
    asked = ", ".join("?" * len(ids))  # a list of values, by which blocks of rows are passed over
    sql = f"""SELECT generation_id, position, {ASKED} AS prompt, generation.text AS answer, token.text AS token,
            token.start, token.stop
        FROM generation_token AS token JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
        WHERE token.generation_id IN ({asked}) AND generation.generation_id IN ({asked})"""  # noqa: S608 (a constant)
    told = {(row["generation_id"], row["position"]): row for row in snapshot.rows(sql, [*ids, *ids])}
    places = [(row["generation_id"], row["position"]) for row in found]
    return [
        record(Mattered, told[place] | {"effect": row["effect"]})
        for place, row in zip(places, found, strict=True)
        if place in told
    ]


def teachers(snapshot: Snapshot, run_id: str, component: Component, k: int) -> list[Teacher]:
    """The k documents of which most passes through it, over the kept documents of all stored answers."""
    if not has_table(snapshot, "component_document"):
        return []
    sql = """SELECT document_id, score, size, n_tokens FROM component_document
        WHERE run_id = ? AND kind = ? AND depth = ? AND number = ? ORDER BY size DESC, document_id LIMIT ?"""
    rows = snapshot.rows(sql, [run_id, component.kind, component.depth, component.number, k])
    return [record(Teacher, row) for row in rows]
