"""The sheet of Corpus: the documents of the list, in its order."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.records import StoredDocument
from dashboard.export.sheet import Sheet


def corpus_sheet(found: Sequence[StoredDocument], facts: Mapping[str, str], selection: Selection) -> Sheet:
    """`facts`: by document, in how many answers it is among the ten best."""
    return Sheet(
        name="whence-corpus",
        title="Training documents",
        table=partial(_table, list(found), dict(facts)),
        address=address(selection),
        about={"search": selection.search} if selection.search else {},
    )


def _table(found: list[StoredDocument], facts: dict[str, str]) -> pd.DataFrame:
    names = ("document_id", "title", "source", "topic", "text")
    rows = [
        {name: getattr(each, name) for name in names} | {"among_the_ten_best_of": facts.get(each.document_id, "")}
        for each in found
    ]
    return pd.DataFrame(rows, columns=[*names, "among_the_ten_best_of"])
