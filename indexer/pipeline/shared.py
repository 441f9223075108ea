"""EDGE: what every size needs: the documents and prompts as rows, and the text index over the documents."""

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer import __version__
from indexer.corpus.corpus import COLUMNS, TIMES, Lazy, joined, labels_hash, repeats
from indexer.corpus.document import Document
from indexer.corpus.prompt import Prompt
from indexer.corpus.reader import CorpusReading
from indexer.corpus.stored import LAYOUT, STAGE, listed, sources_of, write_corpora
from indexer.database.arrow import columns_of
from indexer.database.shard import Columns, write_in_order, write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, finished, is_finished, key, stage
from indexer.search.text_index import TextIndex, index_key, write_text_index

DOCUMENTS = 1024  # that are in memory at once


def document_part(folder: Path, corpora: Sequence[CorpusReading]) -> Finished:
    """Every document of every training stage, once; and each stage's documents by index, for `ask`."""
    read_as, again = [corpus.read_as for corpus in corpora], [repeats(corpus) for corpus in corpora]
    values = [labels_hash(corpus, corpus.grouped_by) for corpus in corpora]
    made_of = key(
        corpora=[corpus.hash for corpus in corpora],
        layout=LAYOUT,
        whence=__version__,
        # none: the keys of builds from before there was a choice, or a count
        **({"read_as": read_as} if any(read_as) else {}),
        **({"times": again} if any(again) else {}),
        **({"groups": values} if any(values) else {}),
    )
    files = key(documents=made_of, files=[[source.sha256 for source in corpus.sources] for corpus in corpora])
    if _is_whole(folder, files) or (_is_whole(folder, made_of) and _listed(folder) != sources_of(corpora)):
        made_of = files  # the same documents of other files: they are known by their files
    [part] = stage(folder, STAGE, made_of, ["all"], partial(_documents, corpora))
    return part


def _is_whole(folder: Path, made_of: str) -> bool:
    return is_finished(folder, STAGE, made_of, ["all"])


def _listed(folder: Path) -> list[list[tuple[str, str]]]:
    [part] = finished(folder, STAGE)
    return listed(part)


def prompt_part(folder: Path, prompts: Sequence[Prompt]) -> Finished:
    made_of = key(prompts=list(prompts), whence=__version__, tables=columns_of("prompt", "prompt_part"))
    [part] = stage(folder, "prompts", made_of, ["all"], partial(_prompts, prompts))
    return part


def text_index(folder: Path, corpora: Sequence[CorpusReading], engine: str) -> TextIndex:
    """The text index, built if need be and opened only after its hashes were checked."""
    [part] = stage(
        folder,
        "text",
        index_key(engine, corpora=[corpus.hash for corpus in corpora]),
        ["all"],
        lambda part: write_text_index(every_document(corpora), part.folder, engine),
    )
    return TextIndex.open(part.folder, part.files)


def every_document(corpora: Sequence[CorpusReading]) -> Sequence[Document]:
    """Every document once, in the order in which they first come; of one that comes again what is said last."""
    first, last = _places(corpora)
    at, every = last[np.argsort(first)], _all(corpora)
    return Lazy(len(at), lambda i: every[int(at[i])])


def _all(corpora: Sequence[CorpusReading]) -> Sequence[Document]:
    return reduce(joined, (corpus.documents for corpus in corpora))


def _places(corpora: Sequence[CorpusReading]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each document comes first and last among all, in the order of the ids."""
    numbers = np.concatenate([corpus.numbers for corpus in corpora])
    _, first = np.unique(numbers, return_index=True)
    _, from_end = np.unique(numbers[::-1], return_index=True)
    return first, len(numbers) - 1 - from_end


def _documents(corpora: Sequence[CorpusReading], part: Partition) -> None:
    write_in_order(part.folder, "document", _pieces(corpora))
    write_corpora(corpora, part.folder)


def _pieces(corpora: Sequence[CorpusReading]) -> Iterator[Columns]:
    """In the order of the ids. `turns` and `times` are NULL where they say nothing: so it was before there were any.

    A document of two stages was seen as often as in the first: there it counts.
    """
    (first, last), every = _places(corpora), _all(corpora)
    names = COLUMNS if any(corpus.has_turns for corpus in corpora) else COLUMNS[:-1]
    times = np.concatenate([corpus.times for corpus in corpora])
    counted = bool((times > 1).any())
    for start in range(0, len(last), DOCUMENTS):
        now = slice(start, start + DOCUMENTS)
        some = [every[int(i)] for i in last[now]]
        columns: dict[str, list[object]] = {name: [getattr(document, name) for document in some] for name in names}
        if counted:
            columns[TIMES] = times[first[now]].tolist()
        yield columns


def _prompts(prompts: Sequence[Prompt], part: Partition) -> None:
    names = ("prompt_id", "text", "kind", "topic", "answer")
    about: dict[str, list[object]] = {name: [getattr(prompt, name) for prompt in prompts] for name in names}
    write_shard(part.folder, "prompt", about | {"notice": ["\n".join(prompt.notices) for prompt in prompts]})
    pieces = [(prompt.prompt_id, piece) for prompt in prompts for piece in prompt.parts]
    columns: dict[str, list[object]] = {"prompt_id": [prompt_id for prompt_id, _ in pieces]}
    for name in ("part", "kind", "title", "start", "stop", "owner"):
        columns[name] = [getattr(piece, name) for _, piece in pieces]
    write_shard(part.folder, "prompt_part", columns)
