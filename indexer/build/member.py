"""EDGE: one size of the family, opened for work: weights, tokenizer, the corpus as token ids."""

from dataclasses import dataclass
from functools import cached_property

from attribution.batches import Document as Row
from attribution.model import LoadedModel, load_model
from attribution.sequence import Encoded, encode_document
from attribution.tracked import Tracked, track
from indexer.config import Config, Model
from indexer.corpus.document import Document
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.journal import key
from indexer.versions import VERSIONS


@dataclass(frozen=True)
class Member:
    """A model together with its training documents; what a key of any of its stages is made of."""

    entry: Model
    config: Config
    loaded: LoadedModel
    tracked: Tracked
    corpus: CorpusReading  # what this stage of training read
    parent: "Member | None" = None

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """Everything that the model was trained on, its parent's documents first: the order of all indices."""
        return (*(self.parent.documents if self.parent else ()), *self.corpus.documents)

    @property
    def own_documents(self) -> range:
        """The indices of this stage's documents."""
        return range(len(self.documents) - len(self.corpus.documents), len(self.documents))

    @property
    def n_train(self) -> int:
        """Documents of this stage: N of the influence formula."""
        return len(self.corpus.documents)

    @cached_property
    def encoded(self) -> list[Encoded]:
        """Every document as the model saw it, cut to the context."""
        return [encode_document(d.text, self.loaded.tokenizer, self.loaded.context) for d in self.documents]

    @property
    def own_rows(self) -> list[Row]:
        return self.rows[self.own_documents.start :]

    @cached_property
    def rows(self) -> list[Row]:
        return [Row(encoded.ids) for encoded in self.encoded]

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
        )


def open_member(entry: Model, config: Config) -> Member:
    """Load the model, its documents and, for a fine-tuned one, its parent; choose what is tracked.

    A checkpoint has no tokenizer of its own: it uses that of the model whose folder it lies in.

    Raises BadInput for a model that cannot be trusted and for documents that cannot be read.
    """
    parents = [open_member(each, config) for each in config.model if entry.parent and each.name == entry.parent]
    loaded = load_model(entry.path, config.device.name, config.device.dtype, entry.tokenizer)
    tracked = track(loaded, layers=config.factors.layers, embedding=config.factors.embedding)
    corpus = read_corpus(entry.files or config.corpus.files)
    return Member(entry, config, loaded, tracked, corpus, parents[0] if parents else None)
