"""EDGE: the file of figures: JSON, each row of a table in a line of its own, so that two of them can be compared.

    {"format": 2, "models": [{"model", "weights", "corpus", "settings", "measured", "command", "whence", "tables"}]}

`tables` holds rows of tables of the database, without their `model_id`; what is JSON in a row (`evaluation.detail`) is
written out. Tables and columns that this version does not know are passed over. Format 1 had slopes of the halves
themselves, about twice those of a training on all documents.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.journal.files import replace_file

FORMAT = 2
Row = Mapping[str, Any]
_TEXTS = ("model", "weights", "corpus", "measured", "command", "whence")


@dataclass(frozen=True)
class Saved:
    """What one command has measured of one model."""

    model: str  # its name
    weights: str  # hash: the model_id
    corpus: str  # hash of its documents
    settings: Mapping[str, Mapping[str, Any]]  # what the figures depend on, by table of the configuration
    measured: str  # the day, as 2026-11-26
    command: str
    whence: str  # version
    tables: Mapping[str, Sequence[Row]]


def read_figures(path: Path) -> list[Saved]:
    """Raises BadInput for what `whence evaluate --save` has not written."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"expected figures at {path}, found no file; `whence evaluate --save` writes one") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"expected figures as JSON in {path}, found: {error}; save them again") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("models"), list):
        raise BadInput(
            f'expected "format": {FORMAT} and "models" in {path}, found others; move it away and save the figures again'
        )
    return [_saved(each, path) for each in found["models"]]


def write_figures(path: Path, models: Sequence[Saved]) -> None:
    """Those that the file has of other models, or by another command, are kept."""
    named = {(each.model, each.command) for each in models}
    before = read_figures(path) if path.is_file() else []
    kept = [each for each in before if (each.model, each.command) not in named]
    every = sorted([*kept, *models], key=lambda each: (each.model, each.command))
    replace_file(path, "".join(_lines(every)), "figures")


def _saved(each: Any, path: Path) -> Saved:
    wrong = [name for name in _TEXTS if not isinstance(each, dict) or not isinstance(each.get(name), str)]
    wrong += [name for name in ("settings", "tables") if not wrong and not isinstance(each.get(name), dict)]
    if not wrong:
        wrong += [name for name, of in each["settings"].items() if not isinstance(of, dict)]
        wrong += [name for name, of in each["tables"].items() if not _is_table(of)]
    if wrong:
        raise BadInput(f"expected {wrong[0]!r} of every model in {path}, found none that fits; save the figures again")
    return Saved(**{name: each[name] for name in (*_TEXTS, "settings", "tables")})


def _is_table(of: Any) -> bool:
    return isinstance(of, list) and all(isinstance(row, dict) for row in of)


def _lines(models: Sequence[Saved]) -> Iterator[str]:
    yield f'{{"format": {FORMAT}, "models": ['
    for i, each in enumerate(models):
        about = {name: getattr(each, name) for name in (*_TEXTS, "settings")}
        yield f'{"," if i else ""}\n{json.dumps(about, ensure_ascii=False)[:-1]}, "tables": {{'
        for k, (table, rows) in enumerate(each.tables.items()):
            yield f"{',' if k else ''}\n{json.dumps(table)}: [\n"
            yield ",\n".join(json.dumps(dict(row), ensure_ascii=False) for row in rows)
            yield "\n]"
        yield "}}"
    yield "\n]}\n"
