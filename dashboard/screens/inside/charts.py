"""Charts of Inside: data in, plotly figure out. Nothing here reads, draws or knows Streamlit."""

from collections.abc import Mapping, Sequence

from dashboard.database.components.amounts import Amounts
from dashboard.database.components.lens import Seen, decided
from dashboard.database.components.records import Activations
from dashboard.drawing.figure import SHARE, blank
from dashboard.drawing.numbers import decimals, percent, plain, signed
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.drawing.theme import MARKS
from dashboard.drawing.visible import in_chart, visible, visible_token

LEAST = 1e-6  # probabilities below are drawn at it
FINE = 0.005  # with none below it there is room for ticks between the decades
TICKS = {1e-6: "10⁻⁶", 1e-5: "10⁻⁵", 1e-4: "10⁻⁴", 1e-3: "0.1 %", 0.01: "1 %", 0.1: "10 %", 1.0: "100 %"}
BETWEEN = {0.02: "2 %", 0.05: "5 %", 0.2: "20 %", 0.5: "50 %"}
KINDS = {"head": ("Heads", MARKS.strength, "circle"), "neuron": ("Neurons", MARKS.second, "square")}


def lens(lines: Mapping[str, Sequence[Seen]], looks: Mapping[str, Look]) -> Chart:
    """Probability of what was written, by depth, one line per size; the axis of probability is logarithmic."""
    least = min((each.probability for line in lines.values() for each in line), default=1.0)
    ticks = TICKS if least < FINE else TICKS | BETWEEN
    figure = blank(
        300,
        hover="closest",
        x={"title": "depth", "tickformat": SHARE, "tickvals": [0, 0.25, 0.5, 0.75, 1], "range": [-0.04, 1.04]},
        y={"title": "probability", "type": "log", "tickvals": list(ticks), "ticktext": list(ticks.values())},
    )
    rows: list[dict[str, object]] = []
    for name, line in lines.items():
        look = looks.get(name, UNKNOWN)
        figure.add_scatter(
            x=[each.depth for each in line],
            y=[max(each.probability, LEAST) for each in line],
            customdata=[[name, percent(each.probability), _top(each)] for each in line],
            name=in_chart(name),
            mode="lines+markers",
            line={"color": look.colour, "width": 2},
            marker={"color": look.colour, "symbol": look.symbol, "size": 7},
            hovertemplate="%{fullData.name}, depth %{x}<br>%{customdata[1]}%{customdata[2]}<extra></extra>",
        )
        rows += [
            {"Size": name, "Depth": percent(each.depth), "Probability": each.probability}
            | ({"Rank": each.rank, "Most probable": visible_token(each.top)} if each.rank is not None else {})
            for each in line
        ]
    words = " ".join(f"{name}: {percent(of[0].probability)} after the embedding, {percent(of[-1].probability)} at the "
                     f"end{_leads(of)}." for name, of in lines.items())  # fmt: skip
    return Chart(figure, f"Probability of what was written by depth, logarithmic. {visible(words)}", rows)


def agreement(predicted: Amounts, measured: Amounts) -> Chart:
    """Measured against predicted effect, a point for each component that was replaced. The key of a point: its own."""
    figure = blank(
        280,
        hover="closest",
        x={"title": "predicted, nats", "zeroline": True, "nticks": 5},
        y={"title": "measured, nats", "zeroline": True, "nticks": 5},
    )
    rows: list[dict[str, object]] = []
    for kind, (name, colour, symbol) in KINDS.items():
        parts = [each for each in measured.of(kind) if each in predicted.parts]
        if not parts:
            continue
        places = decimals([*measured.parts.values(), *predicted.parts.values()])
        figure.add_scatter(
            x=[predicted.parts[each] for each in parts],
            y=[measured.parts[each] for each in parts],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 9},
            customdata=[
                [each.key, each.name, signed(measured.parts[each], places), signed(predicted.parts[each], places)]
                for each in parts
            ],
            hovertemplate="%{customdata[1]}<br>measured %{customdata[2]}, predicted %{customdata[3]}<extra></extra>",
        )
        rows += [
            {"Component": each.name, "Predicted, nats": predicted.parts[each], "Measured, nats": measured.parts[each]}
            for each in parts
        ]
    said = "; ".join(f"{row['Component']} {plain(row['Measured, nats'])}" for row in rows[:8])  # type: ignore[arg-type]
    return Chart(figure, f"Measured against predicted effect of {len(rows)} components. Measured: {said}.", rows)


def activations(found: Activations) -> Chart:
    """How often a neuron is how strong over the tokens of the corpus. The ranges widen away from zero, so every one has
    a bar of the same width between its edges; counts on a logarithmic axis."""
    filled = [i for i, n in enumerate(found.counts) if n]
    first, last = (filled[0], filled[-1]) if filled else (0, -1)
    edges, counts = found.edges[first : last + 2], found.counts[first : last + 1]
    figure = blank(
        220,
        hover="closest",
        x={"title": "activation, by ranges", "showgrid": False}
        | {"tickvals": [i - 0.5 for i in range(len(edges))][::2], "ticktext": [plain(edge) for edge in edges][::2]},
        y={"title": "tokens", "type": "log", "tickformat": "~s", "nticks": 4},
    )
    between = [f"{plain(low)} to {plain(high)}" for low, high in zip(edges, edges[1:], strict=False)]
    figure.add_bar(
        x=list(range(len(counts))),
        y=counts,
        marker={"color": MARKS.strength},
        customdata=[[name, f"{n:,}"] for name, n in zip(between, counts, strict=True)],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]} tokens<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(bargap=0.05, margin={"t": 12})
    rows: list[dict[str, object]] = [{"Activation": name, "Tokens": n} for name, n in zip(between, counts, strict=True)]
    words = f"Activations of the neuron over {sum(counts):,} tokens, {plain(found.mean)} on average."
    return Chart(figure, words, rows)


def _top(each: Seen) -> str:
    if each.rank is None:
        return ""
    if each.rank == 1:
        return ", the most probable token"
    said = "" if each.top_probability is None else f" ({percent(each.top_probability)})"
    return f", rank {each.rank:,}; most probable: {in_chart(each.top, 24)}{said}"


def _leads(line: Sequence[Seen]) -> str:
    from_here = decided(line)
    return "" if from_here is None else f", the most probable token from {percent(from_here)} of the depth on"
