"""EDGE: texts as somebody gives them: typed, in a plain file, or rows of a file as a corpus has them."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.corpus.document import Document, document_id, storable
from indexer.corpus.reader import read_corpus
from indexer.corpus.rows import ENDINGS
from indexer.corpus.shapes.columns import shapes_of
from indexer.corpus.turns import structured
from indexer.corpus.typed import without_mark

LONGEST = 1_000_000  # characters of a text
# how a conversation, a pair or token ids begin as JSON; any other text that begins with a brace is a text
_LIKE_TURNS = re.compile(
    r"""\s*(\{\s*"(messages|conversations|prompt|completion|chosen|rejected|input_ids|tools)"\s*:|"""
    r"""\[\s*\{\s*"(role|content|from|value)"\s*:)"""
)


def typed_document(text: str, title: str = "") -> Document:
    """What was typed: a plain text, or a conversation, a pair or token ids as JSON, as a row of a corpus has them.

    Raises BadInput for nothing, for more than `LONGEST` characters, and for JSON that is none of these.
    """
    if len(text) > LONGEST:
        raise BadInput(
            f"expected a text of at most {LONGEST:,} characters{_of(title)}, found {len(text):,}; give a part of it"
        )
    text = storable(without_mark(text))
    if not text.strip():
        raise BadInput(f"expected a text{_of(title)}, found an empty one; write what the model might have read")
    if not _LIKE_TURNS.match(text):
        return Document(document_id(text), "", title, "", "", text)
    readable, turns = _turns(text, title)
    return Document(document_id(turns), "", title, "", "", readable, turns)


def documents_of(file: Path, text: Sequence[str] = (), near: Path | None = None) -> list[Document]:
    """The texts of a file: every row of one that a corpus may be (`ENDINGS`), each once, else all of it as one text.

    text: as `[corpus] text`   near: a folder on whose disk rows are kept meanwhile. Raises BadInput for what cannot be
    read, for an empty text and for one of more than `LONGEST` characters.
    """
    if Path(file.name.lower().removesuffix(".gz")).suffix not in ENDINGS:
        return [typed_document(_read(file), file.name)]
    found = read_corpus([file], text, near=near)
    for each in found.documents:
        if len(each.text) > LONGEST:
            raise BadInput(
                f"expected texts of at most {LONGEST:,} characters in {file.name}, found one of {len(each.text):,}: "
                f"{' '.join(each.text[:80].split())[:40]!r}; cut it"
            )
    return list(found.documents)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > 4 * LONGEST:  # bytes of a character of UTF-8, at most
            raise BadInput(
                f"expected a text of at most {LONGEST:,} characters in {file.name}, found {file.stat().st_size:,} "
                "bytes; give a part of it"
            )
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"expected a file at {file}, found none; correct the path") from None
    except UnicodeDecodeError:
        raise BadInput(f"expected UTF-8 in {file.name}, found other bytes; convert it") from None
    except OSError as error:
        raise BadInput(f"expected a readable file at {file}, found: {error.strerror or error}") from None


def _turns(text: str, title: str) -> tuple[str, str]:
    """(text, canonical JSON) of a conversation, a pair or token ids."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"expected JSON{_of(title)}, as the text begins, found: {error}; mend it") from None
    row = value if isinstance(value, dict) else {_named(value): value}
    shapes = shapes_of([name for name, said in row.items() if said is not None])
    if len(shapes) != 1:
        raise BadInput(
            f"expected messages, prompt and completion, chosen and rejected, or input_ids{_of(title)}, found "
            f"{', '.join(map(repr, sorted(row)))}; give one of these"
        )
    made = structured(shapes[0], row)
    if not made[1]:
        raise BadInput(f"expected a text{_of(title)}, found a conversation in which nothing is said; write something")
    return made


def _named(said: list[Any]) -> str:
    """The column that a list of messages would stand in."""
    return "conversations" if any(isinstance(each, dict) and "from" in each for each in said) else "messages"


def _of(title: str) -> str:
    return f" in {title}" if title else ""
