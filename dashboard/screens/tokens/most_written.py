"""What the Tokens screen shows before a word is typed: words to begin with."""

from dashboard.address.bar import choose
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.written.words import WORD, most_written, unit_of
from dashboard.database.records import Model
from dashboard.drawing import render
from dashboard.drawing.numbers import counted
from dashboard.drawing.shapes import Bar
from dashboard.widgets.heading import panel

SHOWN = 20


def show_most_written(snapshot: Snapshot, model: Model, match: str) -> None:
    """The words that most answers of a size have, to be clicked; nothing where it wrote none."""
    unit = unit_of(snapshot, match)
    found = most_written(snapshot, model.model_id, unit, SHOWN)
    if not found:
        return
    panel("Most written", "In how many answers they stand: not which documents taught them.")
    bars = [
        Bar(str(i), each.word, float(each.n_answers), counted(each.n_answers, "answer")) for i, each in enumerate(found)
    ]
    render.bar_list(
        bars,
        key="most written",
        about="; ".join(f"{bar.name}, {bar.said}" for bar in bars),
        legend=[
            ("strength", f"answers of {model.name}; click a {'word' if unit == WORD else 'token'} to see its page")
        ],
        unsigned=True,
        on_bar=lambda key: choose(token=found[int(key)].word),
    )
