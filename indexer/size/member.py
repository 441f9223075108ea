"""EDGE: one size of the family, opened for work: weights, tokenizer, the corpus as token ids."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from attribution.exact.agreement import check_agreement
from attribution.loading.load import LoadedModel, load_model
from attribution.loading.located import check_present
from attribution.loading.specials import as_it_was
from attribution.model.sequence import vocabulary
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row
from attribution.passes.preference import Preference
from attribution.trained.document import TrainedText, Training
from attribution.trained.windows import Windows
from indexer.config.config import Config, Model
from indexer.config.versions import VERSIONS
from indexer.corpus.as_trained import learned_pairs, read_document, training_of
from indexer.corpus.corpus import Corpus, Lazy, Numbers, as_ids, as_numbers, joined
from indexer.corpus.document import Document
from indexer.corpus.reader import read_corpus
from indexer.corpus.stored import StoredCorpus
from indexer.journal.stages import key
from indexer.processes.child import is_child
from indexer.size.preferences import read_or_found

CorpusOf = Callable[[Sequence[Path], Sequence[str]], Corpus]  # (files, columns to read)
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
    learned_pairs: bool = False  # which of two answers is preferred, with the parent as reference

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
    def is_finetuned(self) -> bool:
        """Trained from other weights, which it was held near to, whether these are explained too or not."""
        return self.entry.stage == "finetuned"

    @property
    def n_stages(self) -> int:
        """Stages of its training whose documents are known."""
        return 1 + (self.parent.n_stages if self.parent else 0)

    @property
    def own_documents(self) -> range:
        """The indices of this stage's documents."""
        return range(len(self.documents) - self.n_documents, len(self.documents))

    @property
    def n_documents(self) -> int:
        """Documents of this stage that are at hand."""
        return len(self.corpus.documents)

    @property
    def n_train(self) -> int:
        """N of the influence formula: documents of this stage's training, each as often as it was seen."""
        told = self.entry.trained_on if self.entry.files else self.config.corpus.trained_on
        return told or self.corpus.n_seen

    @cached_property
    def training(self) -> Training:
        """How this stage's documents were rendered, cut and learned."""
        return training_of(self.entry, self.config.corpus, self.loaded.context)

    @cached_property
    def read(self) -> list[TrainedText]:
        """Every document as the model was trained on it."""
        before = self.parent.read if self.parent else []
        return [*before, *(self._read(document) for document in self.corpus.documents)]

    @property
    def own_rows(self) -> Sequence[Row]:
        return self.rows[self.own_documents.start :]

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The token ids of every document; of a stored corpus, of those that are asked for."""
        if not isinstance(self.corpus, StoredCorpus):
            before = self.parent.rows if self.parent else []
            own_read = self.read[self.own_documents.start :]
            return [*before, *(self._weighed(i, text.row) for i, text in enumerate(own_read))]
        own = lru_cache(REMEMBERED)(lambda i: self._weighed(i, self._read(documents[i]).row))
        documents = self.corpus.documents
        lazy = Lazy(self.n_documents, own)
        return joined(self.parent.rows, lazy) if self.parent else lazy

    @property
    def unweighed_pairs(self) -> list[Row]:
        """The rows of this stage's pairs as no model has judged them yet."""
        return [self._read(document).row for document in self.corpus.documents]

    @cached_property
    def preferences(self) -> Sequence[Preference]:
        """What the model and its parent, the reference, make of each pair of this stage."""
        return read_or_found(self)

    def _weighed(self, i: int, row: Row) -> Row:
        return replace(row, preference=self.preferences[i]) if self.learned_pairs else row

    def _read(self, document: Document) -> TrainedText:
        return read_document(document, self.loaded.tokenizer, self.loaded.specials, self.training)

    @cached_property
    def words(self) -> list[str]:
        """The text of every entry of the vocabulary."""
        return vocabulary(self.loaded.tokenizer, self.loaded.n_rows)

    @property
    def n_cut(self) -> int:
        """Documents of which training dropped the end."""
        return sum(text.n_cut > 0 for text in self.read)

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
    def _around(self) -> dict[str, object]:
        """Nothing where documents are read as every stage once read them: what was stored stays valid."""
        loaded = self.loaded
        found: dict[str, object] = {}
        if not as_it_was(loaded.tokenizer, loaded.specials):
            found["specials"] = loaded.specials
        if self.training != Training(Windows(loaded.context, cut=True)):
            found["training"] = self.training
        if self.n_train != self.n_documents:
            found["n_train"] = self.n_train
        if self.learned_pairs:
            found["beta"] = self.entry.beta
        return found


def open_member(entry: Model, config: Config, corpus_of: CorpusOf = read_corpus) -> Member:
    """Load the model, its documents and, for a fine-tuned one, its parent; choose what is tracked.

    A checkpoint has no tokenizer of its own: it uses that of the model whose folder it lies in. `corpus_of` finds the
    documents of some files: it reads them all, or finds them in a build.

    Raises BadInput for a model that cannot be trusted and for documents that cannot be read.
    """
    parents = [open_member(of, config, corpus_of) for of in config.model if entry.parent and of.name == entry.parent]
    read = load_model(entry.path, config.device.name, config.device.dtype, entry.tokenizer, entry.base)
    loaded = replace(read, begin=entry.begin, end=entry.end)
    tracked = track(loaded, layers=config.factors.layers, embedding=config.factors.embedding)
    if config.scores.method and not is_child():  # whoever started a child has checked
        check_agreement(tracked, forward_mode=config.scores.token_losses > 0)
        check_present(entry.checkpoints)
    corpus = corpus_of(entry.files or config.corpus.files, config.corpus.text)
    pairs = learned_pairs(entry, corpus.documents, checked=isinstance(corpus, StoredCorpus))
    return Member(entry, config, loaded, tracked, corpus, parents[0] if parents else None, pairs)
