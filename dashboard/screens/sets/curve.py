"""The curve of influence over the ranked corpus: points of `set_curve` in, plotly figure and sentences out. Pure."""

from collections.abc import Mapping, Sequence

from dashboard.database.set_records import CurvePoint, SetTarget
from dashboard.drawing.figure import SHARE, blank
from dashboard.drawing.numbers import percent
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.drawing.visible import in_chart, visible

Curve = Sequence[CurvePoint]


def help_of(curve: Curve) -> float:
    """What all helpful documents add up to, nats: the highest point of the curve; 0 where none helps."""
    return max([0.0, *(each.total for each in curve)])


def n_helpful(curve: Curve) -> int:
    """Documents whose estimate is positive, as far as the thinned curve tells."""
    return max([0, *(each.place for each in curve if each.estimate > 0)])


def at_share(curve: Curve, n_documents: int, share: float) -> CurvePoint:
    """The last point among this share of the documents, or the first."""
    within = [each for each in curve if each.place <= share * n_documents]
    return within[-1] if within else curve[0]


def carried(target: SetTarget, curve: Curve, point: CurvePoint) -> str:
    """What the documents up to a point carry, in one sentence."""
    n, total = point.place, help_of(curve)
    first = f"the first {n:,} documents" if n > 1 else "the first document"
    where = f"{first} of {target.n_documents:,} ({percent(n / max(target.n_documents, 1))})"
    if not total:
        return f"{where} carry nothing: no document is estimated to help."
    return f"{where} carry {percent(point.total / total)} of what all helpful documents do."


def curve_chart(curves: Sequence[tuple[SetTarget, Curve]], looks: Mapping[str, Look]) -> Chart:
    """A line for each size: the sum of the estimates up to a place in the ranking, as a share of what all helpful
    documents add up to. It rises to 100 % and falls over those that hurt. The key of a point: run and place."""
    figure = blank(
        340,
        hover="closest",
        x={"title": "documents, most helpful first", "tickformat": SHARE, "nticks": 6, "range": [-0.02, 1.02]},
        y={"title": "share of all help", "tickformat": SHARE, "nticks": 6, "rangemode": "tozero", "zeroline": True},
    )
    rows: list[dict[str, object]] = []
    words = []
    for target, curve in curves:
        total = help_of(curve)
        if not total:
            continue
        look = looks.get(target.model, UNKNOWN)
        x = [each.place / max(target.n_documents, 1) for each in curve]
        y = [each.total / total for each in curve]
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines+markers",
            line={"color": look.colour, "width": 2},
            marker={"color": look.colour, "symbol": look.symbol, "size": 6},
            name=in_chart(target.model),
            customdata=[
                [f"{target.run_id} {each.place}", percent(share), f"{each.place:,} of {target.n_documents:,}"]
                for each, share in zip(curve, y, strict=True)
            ],
            hovertemplate="%{fullData.name}, %{customdata[2]} documents<br>%{customdata[1]}<extra></extra>",
        )
        rows += [
            {
                "Size": target.model,
                "Documents": each.place,
                "Share of the documents": place,
                "Share of all help": share,
            }
            for each, place, share in zip(curve, x, y, strict=True)
        ]
        words.append(f"{target.model}: {carried(target, curve, at_share(curve, target.n_documents, 0.1))}")
    said = "Influence on the set over the ranked corpus, as a share of what all helpful documents do. "
    return Chart(figure, visible(said + " ".join(words)), rows)


def point_of(curves: Sequence[tuple[SetTarget, Curve]], key: str) -> tuple[SetTarget, Curve, CurvePoint] | None:
    """The point with that key; None where there is none."""
    for target, curve in curves:
        for each in curve:
            if f"{target.run_id} {each.place}" == key:
                return target, curve, each
    return None
