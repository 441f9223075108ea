"""EDGE: one size of the family, opened for work: weights, tokenizer, the corpus as token ids."""

from dataclasses import dataclass
from functools import cached_property

from attribution.batches import Document as Row
from attribution.model import LoadedModel, load_model
from attribution.sequence import Encoded, encode_document
from attribution.tracked import Tracked, track
from indexer.config import Config, Model
from indexer.corpus.document import Document
from indexer.corpus.reader import CorpusReading
from indexer.journal import key
from indexer.versions import VERSIONS


@dataclass(frozen=True)
class Member:
    """A model together with its training documents; what a key of any of its stages is made of."""

    entry: Model
    config: Config
    loaded: LoadedModel
    tracked: Tracked
    corpus: CorpusReading

    @property
    def documents(self) -> tuple[Document, ...]:
        return self.corpus.documents

    @property
    def n_train(self) -> int:
        """N of the influence formula."""
        return len(self.documents)

    @cached_property
    def encoded(self) -> list[Encoded]:
        """Every document as the model saw it, cut to the context."""
        return [encode_document(d.text, self.loaded.tokenizer, self.loaded.context) for d in self.documents]

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
        )


def open_member(entry: Model, config: Config, corpus: CorpusReading) -> Member:
    """Load the model and choose what is tracked; raises BadInput for a model that cannot be trusted."""
    loaded = load_model(entry.path, config.device.name, config.device.dtype)
    tracked = track(loaded, layers=config.factors.layers, embedding=config.factors.embedding)
    return Member(entry, config, loaded, tracked, corpus)
