"""EDGE: what every size needs: the documents and prompts as rows, and the text index over the documents."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from indexer import __version__
from indexer.corpus.document import Document
from indexer.corpus.prompt import Prompt
from indexer.corpus.reader import CorpusReading
from indexer.corpus.stored import LAYOUT, STAGE, write_corpora
from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.search.text_index import TextIndex, write_text_index
from indexer.search.words import ANALYSIS


def document_part(folder: Path, corpora: Sequence[CorpusReading]) -> Finished:
    """Every document of every training stage, once; and each stage's documents by index, for `ask`."""
    read_as = [corpus.read_as for corpus in corpora]
    made_of = key(
        corpora=[corpus.hash for corpus in corpora],
        layout=LAYOUT,
        whence=__version__,
        **({"read_as": read_as} if any(read_as) else {}),  # none: the key of builds from before there was a choice
    )
    [part] = stage(folder, STAGE, made_of, ["all"], partial(_documents, corpora))
    return part


def prompt_part(folder: Path, prompts: Sequence[Prompt]) -> Finished:
    made_of = key(prompts=list(prompts), whence=__version__, tables=columns_of("prompt", "prompt_part"))
    [part] = stage(folder, "prompts", made_of, ["all"], partial(_prompts, prompts))
    return part


def text_index(folder: Path, corpora: Sequence[CorpusReading]) -> TextIndex:
    """The Whoosh index, built if need be and opened only after its hashes were checked."""
    [part] = stage(
        folder,
        "text",
        key(corpora=[corpus.hash for corpus in corpora], whence=__version__, analysis=ANALYSIS),
        ["all"],
        lambda part: write_text_index(every_document(corpora), part.folder),
    )
    return TextIndex.open(part.folder, part.files)


def every_document(corpora: Sequence[CorpusReading]) -> list[Document]:
    return list({each.document_id: each for corpus in corpora for each in corpus.documents}.values())


def _documents(corpora: Sequence[CorpusReading], part: Partition) -> None:
    documents = every_document(corpora)
    names = ["document_id", "corpus", "title", "source", "topic", "text"]
    names += ["turns"] if any(document.turns for document in documents) else []
    columns = {name: [getattr(document, name) for document in documents] for name in names}
    write_shard(part.folder, "document", columns)
    write_corpora(corpora, part.folder)


def _prompts(prompts: Sequence[Prompt], part: Partition) -> None:
    names = ("prompt_id", "text", "kind", "topic", "answer")
    about: dict[str, list[object]] = {name: [getattr(prompt, name) for prompt in prompts] for name in names}
    write_shard(part.folder, "prompt", about | {"notice": ["\n".join(prompt.notices) for prompt in prompts]})
    pieces = [(prompt.prompt_id, piece) for prompt in prompts for piece in prompt.parts]
    columns: dict[str, list[object]] = {"prompt_id": [prompt_id for prompt_id, _ in pieces]}
    for name in ("part", "kind", "title", "start", "stop", "owner"):
        columns[name] = [getattr(piece, name) for _, piece in pieces]
    write_shard(part.folder, "prompt_part", columns)
