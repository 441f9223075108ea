"""EDGE: the documents of a size as training read them, kept on disk: rendered once for all sizes that read them alike.

A row of the file is a document; T tokens over all its windows:

ids        [T] token ids
spans      [T, 2] characters of the text that each token covers
learned    [start, stop) of every run of tokens that are targets; all of them: one run
windows    tokens of each window
contents   [start, stop) of the characters that somebody said; none: all of them
n_cut      tokens that training dropped
text       what the tokens were made from; none: the document's own text

Beside it stands which of them have no token to learn: training does not average over those.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from attribution.passes.batches import Row, Rows, Shapes
from attribution.passes.token_run import TokenRun, run_of
from attribution.trained.document import TrainedText, Training
from indexer.config.versions import VERSIONS
from indexer.corpus.corpus import Lazy
from indexer.corpus.document import Document
from indexer.journal.part import Partition
from indexer.journal.stages import drop, finished, intact, key, stage
from indexer.mapped.table import numbers, opened, unnamed, write

LAYOUT = 2  # of the files, and of what is read and learned of a text; another number makes a build write it anew
DOCUMENTS = 16_384  # of a partition
STAGE = "texts-"  # and the key of what is in it
FILE = "texts.arrow"
NOTHING = "nothing-learned.npy"
REMEMBERED = 4096  # documents that are kept where they are rendered one by one
_NUMBERS = pa.list_(pa.int32())
SCHEMA = pa.schema(
    [
        *(("ids", _NUMBERS), ("spans", _NUMBERS), ("learned", _NUMBERS), ("windows", _NUMBERS), ("contents", _NUMBERS)),
        *(("n_cut", pa.int64()), ("n_windows", pa.int32()), ("widest", pa.int32()), ("text", pa.large_string())),
    ]
)
Range = tuple[int, int]
Read = Callable[[Document], TrainedText]


class Texts:
    """What training read of some documents, each made when it is asked for."""

    def __init__(self, table: pa.Table, documents: Sequence[Document]) -> None:
        self._documents, self._table = documents, table
        self._columns = {name: table.column(name) for name in table.column_names}
        self.read: Sequence[TrainedText] = Lazy(len(table), self._read)
        self.rows = Rows(len(table), self._row, self._shapes)

    @cached_property
    def n_cut(self) -> int:
        """Documents of which training dropped the end."""
        return int(np.count_nonzero(numbers(self._columns["n_cut"])))

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of every document, those that windows share counted in each  # [D]"""
        return _flat([pc.list_value_length(chunk) for chunk in self._columns["ids"].chunks])

    @cached_property
    def nothing(self) -> NDArray[np.int64]:
        """Documents without a token to learn. Of more learned tokens than windows, one is not first in its window."""
        columns = self._columns["learned"].chunks
        pairs = _flat([chunk.flatten() for chunk in columns]).reshape(-1, 2)
        each = _flat([pc.list_value_length(chunk) for chunk in columns]) // 2
        of = np.repeat(np.arange(len(each)), each)
        n_learned = np.bincount(of, weights=pairs[:, 1] - pairs[:, 0], minlength=len(each))
        few = np.flatnonzero(n_learned <= numbers(self._columns["n_windows"]))
        return np.array([i for i in few.tolist() if not self._row(i).targets().any()], dtype=np.int64)

    def run(self, of: range) -> TokenRun:
        """The tokens of some documents that follow each other."""
        some = self._table.slice(of.start, len(of))
        ids, widths = (_flat([each.flatten() for each in some.column(name).chunks]) for name in ("ids", "windows"))
        return TokenRun(ids, widths, _flat(some.column("n_windows").chunks))

    def _shapes(self) -> Shapes:
        windows, widest = (numbers(self._columns[name]) for name in ("n_windows", "widest"))
        made: Shapes = np.stack([np.zeros_like(windows), windows, widest], axis=1)
        return made

    def _row(self, i: int) -> Row:
        ids, windows = self._numbers("ids", i), self._numbers("windows", i)
        learned = self._pairs("learned", i)
        return Row(
            tuple(ids.tolist()),
            learned=None if learned == ((0, len(ids)),) else learned,
            windows=tuple(windows.tolist()) if len(windows) > 1 else (),
        )

    def _read(self, i: int) -> TrainedText:
        own = self._columns["text"][i].as_py()
        text = self._documents[i].text if own is None else own
        n_cut = self._columns["n_cut"][i].as_py()
        return TrainedText(text, self._row(i), self._pairs("spans", i), n_cut, self._pairs("contents", i))

    def _numbers(self, name: str, i: int) -> NDArray[np.int32]:
        made: NDArray[np.int32] = self._columns[name][i].values.to_numpy()
        return made

    def _pairs(self, name: str, i: int) -> tuple[Range, ...]:
        return tuple((a, b) for a, b in self._numbers(name, i).reshape(-1, 2).tolist())


class OneByOne:
    """The same where nothing is kept: a document is rendered when it is asked for."""

    def __init__(self, documents: Sequence[Document], read: Read) -> None:
        self.read: Sequence[TrainedText] = Lazy(len(documents), lambda i: read(documents[i]))
        self.rows = Rows(len(documents), lru_cache(REMEMBERED)(lambda i: self.read[i].row))

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        return np.fromiter(map(len, self.rows), dtype=np.int32, count=len(self.rows))

    def run(self, of: range) -> TokenRun:
        return run_of(self.rows[i] for i in of)

    @property
    def n_cut(self) -> int:
        return sum(text.n_cut > 0 for text in self.read)


def digest(corpus: str, tokenizer: str, template: object, specials: object, training: Training) -> str:
    """Of all that the rendering of a corpus depends on: hashes, chat template, tokens around, windows and targets."""
    about = {"corpus": corpus, "tokenizer": tokenizer, "template": template, "specials": specials}
    return key(**about, training=training, layout=LAYOUT, versions=VERSIONS)


def keep(folder: Path, of: str, documents: Sequence[Document], read: Read, tick: Callable[[int], None]) -> None:
    """Render what is not rendered, a partition at a time; `tick(n)` after n documents. `of`: their digest.

    Raises BadInput, with its name, for a document that cannot be rendered.
    """

    def compute(part: Partition) -> None:
        some = (documents[i] for i in _partition(int(part.value), len(documents)))
        write(part.folder / FILE, SCHEMA, _values(some, read))
        np.save(part.folder / NOTHING, Texts(opened([part.folder / FILE]), ()).nothing)

    firsts = _firsts(len(documents))
    done = {first: len(_partition(first, len(documents))) for first in firsts}
    stage(folder, STAGE + of, of, firsts, compute, done=lambda part, _fresh: tick(done[int(part.part)]))


def kept(folder: Path, of: str, documents: Sequence[Document]) -> Texts | None:
    """What a build has kept; None where it has not all of it. Raises Damaged for what is not as it was written."""
    there = {part.part: part for part in finished(folder, STAGE + of)}
    firsts = _firsts(len(documents))
    if not firsts or any(first not in there for first in firsts):
        return None
    for first in firsts:
        intact(there[first])
    return Texts(opened([there[first].folder / FILE for first in firsts]), documents)


def nothing_learned(folder: Path, of: str, n: int) -> NDArray[np.int64] | None:
    """Which of n documents a build found to have no token to learn, without opening what it kept of the others; None
    where it has not kept all of them. Raises Damaged for what is not as it was written."""
    there = {part.part: part for part in finished(folder, STAGE + of)}
    firsts = _firsts(n)
    if any(first not in there for first in firsts):
        return None
    for first in firsts:
        intact(there[first])
    found = [first + np.load(there[first].folder / NOTHING) for first in firsts]
    return np.concatenate([np.zeros(0, np.int64), *found])


def passing(documents: Sequence[Document], read: Read, near: Path) -> Texts:
    """The same in a file without a name, on the disk of the folder `near`."""
    with unnamed(SCHEMA, near) as file:
        for row in _values(documents, read):
            file.add(row)
        return Texts(file.table(), documents)


def forget(folder: Path, but: Sequence[str]) -> None:
    """Remove what no size of the build reads any more."""
    wanted = {STAGE + of for of in but}
    old = [each for each in finished(folder) if each.stage.startswith(STAGE) and each.stage not in wanted]
    if old:
        drop(folder, old)


def _flat(parts: Sequence[pa.Array]) -> NDArray[np.int32]:
    made: NDArray[np.int32] = np.concatenate([np.zeros(0, np.int32), *(part.to_numpy() for part in parts)])
    return made


def _firsts(n: int) -> list[int]:
    return list(range(0, n, DOCUMENTS))


def _partition(first: int, n: int) -> range:
    return range(first, min(first + DOCUMENTS, n))


def _values(documents: Iterator[Document] | Sequence[Document], read: Read) -> Iterator[tuple[Any, ...]]:
    """A row of the file for each document. Raises ValueError for what no column says."""
    for document in documents:
        made = read(document)
        row = made.row
        if row.first_target != 1 or row.preference is not None:
            raise ValueError("expected a document as rendering makes it, learned from its second token on")
        learned = ((0, len(row)),) if row.learned is None else row.learned
        pairs = [list(chain.from_iterable(each)) for each in (made.spans, learned, made.contents)]
        text = None if made.text == document.text else made.text
        shape = len(row.widths), max(row.widths)
        yield row.ids, pairs[0], pairs[1], row.widths, pairs[2], made.n_cut, *shape, text
