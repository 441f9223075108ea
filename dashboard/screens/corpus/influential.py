"""The head of the list that Corpus opens on: what it is ordered by, and what each source carries."""

from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.database.queries import answers, documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.drawing.shapes import Bar
from dashboard.screens.corpus.listed import Listed
from dashboard.widgets.estimator import say_estimator
from dashboard.widgets.heading import panel

MOST = 8  # sources


def show_influential(snapshot: Snapshot, page: Listed, model: Model, chosen: Selection) -> None:
    """By words, with the sources' shares; by tokens in a database whose words are not explained."""
    if page.by == "word":
        panel(
            "Most influential documents",
            "Shares of what the ten most helpful documents of each word carry: not how much any answer would change.",
        )
        render.prose(
            (
                "note",
                f"Over the words of all stored answers of {model.name}: punctuation and what ends an answer do not "
                "count. First is what carries most of words together.",
            )
        )
    else:
        panel("Most influential documents", "How often a document is among a token's ten best: not how much it did.")
        render.prose(
            (
                "note",
                f"Over all stored answers of {model.name}, token by token: words are not computed for this estimator, "
                "so that punctuation counts too.",
            )
        )
    runs = answers.best_first(snapshot, model.model_id)
    say_estimator(sorted(runs, key=lambda each: each.run_id != page.run_id))
    _show_sources(snapshot, page, chosen)
    render.prose(("note", page.count))


def _show_sources(snapshot: Snapshot, page: Listed, chosen: Selection) -> None:
    found = documents.source_shares(snapshot, page.run_id)
    if len(found) < 2:
        return
    bars = [
        Bar(
            f"source {each.source}",
            each.source or "no source",
            each.share,
            f"{percent(each.share)} · {each.n_documents:,} document{'s' * (each.n_documents != 1)}",
        )
        for each in found[:MOST]
    ]

    def only(key: str) -> None:
        source = key.removeprefix("source ")
        choose(source="" if source == chosen.source else source)

    render.bar_list(
        bars,
        key="sources of words",
        about="; ".join(f"{bar.name}, {bar.said}" for bar in bars),
        legend=[
            ("strength", "share of what the ten most helpful documents of every word carry; click to see one source")
        ],
        chosen=f"source {chosen.source}" if chosen.source else "",
        unsigned=True,
        on_bar=only,
    )
