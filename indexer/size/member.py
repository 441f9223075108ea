"""EDGE: one size of the family, opened for work: weights, tokenizer, the corpus as token ids."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from attribution.model.load import LoadedModel, load_model
from attribution.model.sequence import Encoded, encode_document
from attribution.model.specials import Specials, as_it_was
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row
from indexer.config.config import Config, Model
from indexer.config.versions import VERSIONS
from indexer.corpus.corpus import Corpus, Lazy, Numbers, as_ids, as_numbers, joined
from indexer.corpus.document import Document
from indexer.corpus.reader import read_corpus
from indexer.corpus.stored import StoredCorpus
from indexer.journal.stages import key

REMEMBERED = 4096  # documents of a stored corpus whose token ids are kept


@dataclass(frozen=True)
class Member:
    """A model together with its training documents; what a key of any of its stages is made of."""

    entry: Model
    config: Config
    loaded: LoadedModel
    tracked: Tracked
    corpus: Corpus  # what this stage of training read
    parent: "Member | None" = None

    @cached_property
    def documents(self) -> Sequence[Document]:
        """Everything that the model was trained on, its parent's documents first: the order of all indices."""
        own = self.corpus.documents
        return joined(self.parent.documents, own) if self.parent else own

    @cached_property
    def numbers(self) -> Numbers:
        """Their ids as numbers  # [D]"""
        own = self.corpus.numbers
        return np.concatenate([self.parent.numbers, own]) if self.parent else own

    @cached_property
    def document_ids(self) -> Sequence[str]:
        return as_ids(self.numbers)

    def places(self, document_ids: Iterable[str]) -> dict[str, int]:
        """The index of each of these that is known; a document of both stages counts as the parent's."""
        named = list(document_ids)
        wanted = as_numbers(named)
        of = dict(zip(wanted.tolist(), named, strict=True))
        found: dict[str, int] = {}
        for i in np.flatnonzero(np.isin(self.numbers, wanted)).tolist():
            found.setdefault(of[int(self.numbers[i])], i)
        return found

    @property
    def own_documents(self) -> range:
        """The indices of this stage's documents."""
        return range(len(self.documents) - self.n_train, len(self.documents))

    @property
    def n_train(self) -> int:
        """Documents of this stage: N of the influence formula."""
        return len(self.corpus.documents)

    @cached_property
    def encoded(self) -> list[Encoded]:
        """Every document as the model saw it, cut to the context."""
        return [self._encoded(document) for document in self.documents]

    @property
    def own_rows(self) -> Sequence[Row]:
        return self.rows[self.own_documents.start :]

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The token ids of every document; of a stored corpus, of those that are asked for."""
        if not isinstance(self.corpus, StoredCorpus):
            return [Row(encoded.ids) for encoded in self.encoded]
        return Lazy(len(self.documents), lru_cache(REMEMBERED)(lambda i: Row(self._encoded(self.documents[i]).ids)))

    def _encoded(self, document: Document) -> Encoded:
        return encode_document(document.text, self.loaded.tokenizer, self.loaded.context, self.loaded.specials)

    @cached_property
    def words(self) -> list[str]:
        """The text of every entry of the vocabulary."""
        tokenizer = self.loaded.tokenizer
        return [str(tokenizer.decode([i])) for i in range(len(tokenizer))]

    @property
    def n_cut(self) -> int:
        """Documents that are longer than the context."""
        return sum(encoded.cut > 0 for encoded in self.encoded)

    @cached_property
    def base_key(self) -> str:
        """Hash of weights, tokenizer, corpus, device settings and versions: the root of all keys of this size."""
        return key(
            weights=self.loaded.weights_hash,
            tokenizer=self.loaded.tokenizer_hash,
            corpus=self.corpus.hash,
            dtype=str(self.loaded.model.dtype),
            versions=VERSIONS,
            parent=self.parent.base_key if self.parent else "",
            **self._around,
        )

    @property
    def _around(self) -> dict[str, Specials]:
        """Nothing where begin and end tokens are those that every stage once read: what was stored stays valid."""
        loaded = self.loaded
        return {} if as_it_was(loaded.tokenizer, loaded.specials) else {"specials": loaded.specials}


def open_member(entry: Model, config: Config, corpus_of: Callable[[Sequence[Path]], Corpus] = read_corpus) -> Member:
    """Load the model, its documents and, for a fine-tuned one, its parent; choose what is tracked.

    A checkpoint has no tokenizer of its own: it uses that of the model whose folder it lies in. `corpus_of` finds the
    documents of some files: it reads them all, or finds them in a build.

    Raises BadInput for a model that cannot be trusted and for documents that cannot be read.
    """
    parents = [open_member(of, config, corpus_of) for of in config.model if entry.parent and of.name == entry.parent]
    read = load_model(entry.path, config.device.name, config.device.dtype, entry.tokenizer)
    loaded = replace(read, begin=entry.begin, end=entry.end)
    tracked = track(loaded, layers=config.factors.layers, embedding=config.factors.embedding)
    corpus = corpus_of(entry.files or config.corpus.files)
    return Member(entry, config, loaded, tracked, corpus, parents[0] if parents else None)
