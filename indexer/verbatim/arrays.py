"""EDGE: suffix arrays over the token ids of a corpus as a stage of training read it, kept on disk and mapped.

A partition is a run of documents with one array of its own:

text       [n] token id + 1, of the windows of all documents one after the other, each after a separator
order      [n] the suffix array
starts     [W] the place of the first token of every window
documents  [W] the document of every window, from the first of the corpus on
offsets    [W] the document's token that the window begins with

No span crosses a window: what training read apart does not stand together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.passes.token_run import TokenRun
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, drop, finished, intact, key, stage, under_key
from indexer.size.member import Member
from indexer.verbatim.suffixes import SEPARATOR, Suffixes, narrow, suffix_order

LAYOUT = 1  # of the files; another number makes a build write them anew
TOKENS = 1 << 21  # of a partition, about: sorted in a fast part of memory, so that the time grows with the corpus alone
STAGE = "suffixes-"  # and how the documents were read
FILES = ("text", "order", "starts", "documents", "offsets")


@dataclass(frozen=True)
class SuffixArray:
    """One partition, mapped."""

    suffixes: Suffixes
    starts: NDArray[np.int64]  # [W]
    documents: NDArray[np.int32]  # [W]
    offsets: NDArray[np.int32]  # [W]

    def where(self, places: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Document and token of each place."""
        at = places.astype(np.int64)
        window = np.searchsorted(self.starts, at, side="right") - 1
        return self.documents[window].astype(np.int64), self.offsets[window] + at - self.starts[window]


def keep(folder: Path, member: Member, tick: Callable[[int], None] = lambda n: None) -> list[Finished]:
    """The arrays of this stage's documents, into the output folder, which the caller has locked: of all sizes that read
    them alike. `tick(n)` after n documents."""
    texts, largest = member.texts, member.loaded.n_rows

    def compute(part: Partition) -> None:
        of = range_of(part.value)
        text, windows = laid_out(texts.run(of), of.start, largest)
        arrays: tuple[NDArray[Any], ...] = (text, suffix_order(text), *windows)
        for name, values in zip(FILES, arrays, strict=True):
            np.save(part.folder / f"{name}.npy", values)

    def done(part: Finished, _fresh: bool) -> None:
        tick(len(range_of(part.part)))

    parts = [f"{of.start}-{of.stop}" for of in cut(texts.lengths)]
    return stage(folder, STAGE + member.read_as, _key(member), parts, compute, done=done)


def kept(folder: Path, member: Member) -> list[SuffixArray] | None:
    """What a build has kept of this stage's documents; None where it has not all of it. Raises Damaged for what is not
    as it was written."""
    there = {range_of(part.part).start: part for part in under_key(folder, STAGE + member.read_as, _key(member))}
    found: list[Finished] = []
    first, n = 0, member.n_documents
    while first < n:
        if first not in there:
            return None
        found.append(there[first])
        first = range_of(there[first].part).stop
    for part in found:
        intact(part)
    return [_opened(part.folder) for part in found]


def forget(folder: Path, but: Sequence[str]) -> None:
    """Remove the arrays of readings that no size of the build has any more."""
    wanted = {STAGE + of for of in but}
    old = [each for each in finished(folder) if each.stage.startswith(STAGE) and each.stage not in wanted]
    if old:
        drop(folder, old)


def laid_out(
    run: TokenRun, first: int, largest: int
) -> tuple[NDArray[Any], tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]]:
    """The text of some documents of a token at least, and starts, documents and offsets of its windows.

    first: number of the first of them   largest: token id that there may be
    """
    widths = run.widths.astype(np.int64)
    before = np.cumsum(widths) - widths  # [W] tokens of the windows before
    starts = before + np.arange(1, len(widths) + 1)
    text = np.full(len(run.ids) + len(widths), SEPARATOR, dtype=narrow(largest + 1))
    is_token = np.ones(len(text), dtype=bool)
    is_token[starts - 1] = False
    text[is_token] = run.ids + 1
    of_document = np.repeat(np.arange(len(run.windows)), run.windows)  # [W]
    firsts = np.cumsum(run.windows) - run.windows  # [D] of the windows
    offsets = before - before[firsts[of_document]]
    return text, (starts, (first + of_document).astype(np.int32), offsets.astype(np.int32))


def cut(lengths: NDArray[np.int32]) -> list[range]:
    """Runs of documents of about `TOKENS` tokens, a document at least.    lengths: tokens of each  # [D]"""
    sizes = lengths.astype(np.int64)
    number = (np.cumsum(sizes) - sizes) // TOKENS  # of the partition in which each document begins
    borders = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(sizes)]
    return [range(a, b) for a, b in zip(borders, borders[1:], strict=False) if a < b]


def range_of(value: str | int) -> range:
    """The documents of a partition."""
    first, _, stop = str(value).partition("-")
    return range(int(first), int(stop))


def _key(member: Member) -> str:
    return key(of=member.read_as, layout=LAYOUT, tokens=TOKENS)


def _opened(folder: Path) -> SuffixArray:
    text, order, *windows = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in FILES)
    return SuffixArray(Suffixes(text, order), *windows)
