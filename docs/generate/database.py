"""`docs/database.md`: every table, column and view that an analyst may read, out of the schema. Pure."""

import inspect
import re
import textwrap

from docs.generate.markdown import escaped, table
from docs.generate.notes import entry_notes
from indexer.database import schema, summaries
from indexer.database.beside import LARGE
from indexer.database.schema import ORDER, REFERENCES, SCHEMA_VERSION, TABLES, VIEWS
from indexer.database.summaries import SUMMARIES
from indexer.database.tables import LATER_SUBJECTS
from indexer.database.tables.keys import KEYS

_BEFORE = """# Database

`CURRENT` in the output folder is a small JSON file that names the published database. Any DuckDB client can open it;
tables and views are an interface, and a change to them raises the version of the schema, now {version}. A published
file never changes: a build writes a new one beside it.

From {large:,} documents on, these and their tokens lie in `texts-….parquet` and `tokens-….parquet` in the same folder,
and `document` and `document_token` are views of them: a further prompt is published without writing them anew, and
several published files share them. Whoever copies the database copies these along. A client finds them when it runs in
that folder, or is told where they are: `SET file_search_path = '/path/to/build/'`, with the last `/`. Tokens lie there
where all sizes read the documents alike.

Documents join on `document_id` and prompts on `prompt_id`, across models and across databases. Influence is in nats,
and positive pushes the model towards the token ([Concepts](concepts.md)). A pair of a token and a document that is not
in `influence` is **unknown, not zero**.

The three documents that push most towards each token:

```sql
SELECT model.name, prompt.text, token.text AS token, influence.score, document.text
FROM influence
JOIN run USING (run_id) JOIN model USING (model_id)
JOIN generation_token AS token USING (generation_id, position)
JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
JOIN document USING (document_id)
WHERE rank <= 3 AND run.method = 'ekfac'
ORDER BY model.n_params, prompt.text, position, rank;
```

## How the tables join

![Tables as rows, shared columns as vertical lines: a filled mark where the column names a row of the table by itself, a
hollow one where the table refers to it](joins.svg)

A filled mark: the column alone names a row of this table. A hollow mark: the table has the column, and joins on it.
DuckDB is not asked to enforce any of it, since an index would cost more than four times the file; `check` does.
"""
_SUMMARIES = """## Tables that are worked out

{text}
"""
_DIALECT = re.compile(r"(\w+) (\w+(?:\[\])?)(?:,|$)")


def page() -> str:
    notes = entry_notes(schema, "TABLES")
    for subject in LATER_SUBJECTS:
        notes |= entry_notes(subject, "TABLES")
    worked_out = entry_notes(summaries, "SUMMARIES")
    text = escaped(" ".join(inspect.cleandoc(summaries.__doc__ or "").partition("\n\n")[2].split()))
    return "\n".join(
        [
            _BEFORE.format(version=SCHEMA_VERSION, large=LARGE),
            "## Tables\n",
            *(_table(name, notes[name]) for name in TABLES),
            "## Views\n",
            *(f"### {name}\n\n```sql\n{textwrap.dedent(query).strip()}\n```\n" for name, query in VIEWS.items()),
            _SUMMARIES.format(text=text),
            *(
                f"### {name}\n\n{_sentence(worked_out[name])}\n\n```sql\n{textwrap.dedent(query).strip()}\n```\n"
                for name, query in SUMMARIES.items()
            ),
        ]
    )


def columns(name: str) -> dict[str, str]:
    """Column of a table -> its type."""
    return dict(_DIALECT.findall(" ".join(TABLES[name].split())))


def _table(name: str, note: str) -> str:
    joins = {column: other for of, column, other, _ in REFERENCES if of == name}
    rows = [
        (f"`{column}`", kind, "yes" if column in KEYS.get(name, ()) else "", _link(joins.get(column)))
        for column, kind in columns(name).items()
    ]
    stored = f"\n\nRows lie in the order of {_names(ORDER[name])}." if name in ORDER else ""
    return f"### {name}\n\n{_sentence(note)}{stored}\n\n" + table(("column", "type", "names a row", "is in"), rows)


def _link(other: str | None) -> str:
    return "" if other is None else f"[{other}](#{other})"


def _names(columns_: tuple[str, ...]) -> str:
    return ", ".join(f"`{column}`" for column in columns_)


def _sentence(note: str) -> str:
    """Begins with a capital, but for names of columns; ends with a full stop."""
    first = note[:1] if re.match(r"\w+_|[\w, ]+:", note) else note[:1].upper()
    return escaped(first + note[1:]) + ("" if note.endswith(".") else ".")
