"""EDGE: one size of the family, opened for work: weights, tokenizer, the corpus as token ids."""

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch

from attribution.exact.agreement import check_agreement
from attribution.loading.load import LoadedModel, load_model
from attribution.loading.located import base_of
from attribution.loading.outline import check_checkpoints
from attribution.machine import resident, schedule_of
from attribution.model.sequence import vocabulary
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Rows
from attribution.passes.preference import Preference
from attribution.trained.document import TrainedText, Training
from attribution.trained.windows import Windows
from indexer.config.config import Config, Model, lineage
from indexer.config.versions import VERSIONS
from indexer.corpus.as_trained import (
    learned_pairs,
    nothing_learned,
    read_document,
    told_of_training,
    training_of,
)
from indexer.corpus.corpus import Corpus, Numbers, as_ids, as_numbers, grouping, joined, repeats
from indexer.corpus.document import Document
from indexer.corpus.reader import read_corpus
from indexer.corpus.stored import StoredCorpus
from indexer.journal.stages import key
from indexer.processes.at_once import at_once
from indexer.processes.child import is_child
from indexer.size.preferences import read_or_found
from indexer.size.room import check_room
from indexer.size.texts import OneByOne, Texts, digest, keep, kept, passing
from indexer.size.texts import nothing_learned as unlearned

NUMBERS = 2  # raised where what is computed of the same weights and documents becomes another number
CorpusOf = Callable[[Sequence[Path], Sequence[str], Sequence[str]], Corpus]  # (files, columns to read, of groups)


@dataclass(frozen=True)
class Member:
    """A model together with its training documents; what a key of any of its stages is made of."""

    entry: Model
    config: Config
    loaded: LoadedModel
    tracked: Tracked
    corpus: Corpus  # what this stage of training read
    parent: "Member | None" = None
    learned_pairs: bool = False  # which of two answers is preferred, compared with `reference`

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
        return len(self.stages)

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
        """N of the influence formula: documents of this stage's training that have a token to learn, each as often as
        it was seen, as its curvature is a mean over them; or as many as the configuration says."""
        return told_of_training(self.entry, self.config.corpus, self.corpus.n_seen) or self.n_learned

    @cached_property
    def n_learned(self) -> int:
        """Documents at hand that have a token to learn, each as often as it was seen; of a build that has not kept what
        was read of them, all."""
        nothing = unlearned(self.config.output.folder, self.read_as, len(self.corpus.documents))
        if nothing is None:
            nothing = self.texts.nothing if isinstance(self.texts, Texts) else np.zeros(0, np.int64)
        return self.corpus.n_seen - int(np.asarray(self.corpus.times)[nothing].sum())

    @cached_property
    def training(self) -> Training:
        """How this stage's documents were rendered, cut and learned."""
        return training_of(self.entry, self.config.corpus, self.loaded.context)

    @cached_property
    def read(self) -> Sequence[TrainedText]:
        """Every document as the model was trained on it."""
        own = self.texts.read
        return joined(self.parent.read, own) if self.parent else own

    @cached_property
    def own_rows(self) -> Rows:
        """Those of this stage's documents."""
        rows = self.texts.rows.seen(self.corpus.times)
        return rows.judged(lambda: self.preferences) if self.learned_pairs else rows

    @cached_property
    def rows(self) -> Rows:
        """The token ids of every document."""
        return self.parent.rows.followed_by(self.own_rows) if self.parent else self.own_rows

    @cached_property
    def texts(self) -> Texts | OneByOne:
        """This stage's documents as they were read: as a build keeps them, else rendered now, where the corpus is that
        of a build, those that are asked for."""
        folder, documents = self.config.output.folder, self.corpus.documents
        found = kept(folder, self.read_as, documents)
        if found is not None:
            return found
        if isinstance(self.corpus, StoredCorpus):
            return OneByOne(documents, self._read)
        return passing(documents, self._read, folder)

    def keep_texts(self, tick: Callable[[int], None] = lambda n: None) -> None:
        """Those of this stage, into the output folder, which the caller has locked: sizes that read alike, and other
        processes, find them there."""
        keep(self.config.output.folder, self.read_as, self.corpus.documents, self._read, tick)

    @cached_property
    def reference(self) -> Tracked:
        """What DPO compared this model with: what the configuration names, else its parent, else its adapter's base."""
        if self.parent is not None and not self.entry.reference:
            return self.parent.tracked
        entry, device = self.entry, self.config.device
        named = entry.reference or base_of(entry.path, entry.base)
        return track(load_model(named, device.name, device.dtype, entry.tokenizer), embedding=False)

    @cached_property
    def preferences(self) -> Sequence[Preference]:
        """What the model and its reference make of each pair of this stage."""
        return read_or_found(self)

    def check_learned(self) -> None:
        """Raises BadInput where influence is asked for and a stage learned no token of any document; most often the
        first tells."""
        for of in self.stages if self.config.scores.method else ():
            if not any(of._read(each).row.targets().any() for each in of.corpus.documents):
                raise nothing_learned(of.entry, of.n_documents)

    def _read(self, document: Document) -> TrainedText:
        return read_document(document, self.loaded.tokenizer, self.loaded.specials, self.training)

    @cached_property
    def read_as(self) -> str:
        """Digest of how this stage's documents become what was read."""
        loaded = self.loaded
        template = loaded.tokenizer.chat_template
        return digest(self.corpus.hash, loaded.tokenizer_hash, template, loaded.specials, self.training)

    @property
    def stages(self) -> "list[Member]":
        """Every stage of the training whose documents are known, the first one first, this one last."""
        return [*(self.parent.stages if self.parent else []), self]

    @cached_property
    def words(self) -> list[str]:
        """The text of every entry of the vocabulary."""
        return vocabulary(self.loaded.tokenizer, self.loaded.n_rows)

    @property
    def n_cut(self) -> int:
        """Documents of which training dropped the end."""
        return sum(member.texts.n_cut for member in self.stages)

    @cached_property
    def base_key(self) -> str:
        """Hash of weights and settings, tokenizer, the tokens around a text, corpus, device settings and versions: the
        root of all keys of this size."""
        return key(
            function=self.loaded.function_hash,
            tokenizer=self.loaded.tokenizer_hash,
            specials=self.loaded.specials,
            corpus=self.corpus.hash,
            dtype=str(self.loaded.model.dtype),
            versions=VERSIONS,
            numbers=NUMBERS,
            parent=self.parent.base_key if self.parent else "",
            **self._around,
        )

    @property
    def _around(self) -> dict[str, object]:
        """What else tells how documents are read, and of which training they are; nothing where all is as usual."""
        loaded = self.loaded
        found: dict[str, object] = {}
        if self.training != Training(Windows(loaded.context, cut=True)):
            found["training"] = self.training
        if loaded.model.dtype == torch.bfloat16:
            found["head"] = "float32"  # an earlier build had it in bfloat16
        if loaded.tokenizer.chat_template and self.corpus.has_turns:
            found["template"] = loaded.tokenizer.chat_template
        if self.n_train != self.n_documents:
            found["n_train"] = self.n_train
        if again := repeats(self.corpus):
            found["times"] = again
        if self.learned_pairs:
            found["beta"] = self.entry.beta
            if self.parent is None or self.entry.reference:
                found["reference"] = self.reference.loaded.function_hash
        return found


def _sharing(config: Config, read: LoadedModel) -> int:
    """Processes that share the memory: of a build one for each model at most, of an evaluation children at one."""
    n = at_once(config.device, read.device.type, read.n_params)
    return n if is_child() else min(n, len(config.model))


def _held_beside() -> int:
    """Bytes of the process that has started this one and waits for it."""
    waiting = multiprocessing.parent_process()
    return resident(waiting.pid) if waiting is not None and waiting.pid is not None else 0


def open_member(entry: Model, config: Config, corpus_of: CorpusOf | None = None) -> Member:
    """Load the model, its documents and, for a fine-tuned one, its parent; choose what is tracked.

    A checkpoint has no tokenizer of its own: it uses that of the model whose folder it lies in. `corpus_of` finds the
    documents of some files: it reads them all, or finds them in a build.

    Raises BadInput for a model that cannot be trusted and for documents that cannot be read.
    """
    checked = bool(config.scores.method) and not is_child()  # whoever started a child has checked
    if checked:
        check_checkpoints(entry.checkpoints, entry.path, entry.base, entry.explain)
    before = lineage(config, entry)[:-1]
    parent = open_member(before[-1], config, corpus_of) if before else None
    read = load_model(
        entry.path,
        config.device.name,
        config.device.dtype,
        entry.tokenizer,
        entry.base,
        entry.explain,
        experts=entry.experts and bool(config.scores.method),
    )
    training_of(entry, config.corpus, read.context)  # refuses windows that this model cannot have read
    schedule = schedule_of(read.device, config.device.memory, _sharing(config, read), _held_beside())
    loaded = replace(read, begin=entry.begin, end=entry.end, schedule=schedule)
    tracked = track(loaded, layers=config.factors.layers, embedding=config.factors.embedding)
    if checked:
        check_room(tracked)
        check_agreement(tracked, forward_mode=config.scores.token_losses > 0)
    found = corpus_of or partial(read_corpus, near=config.output.folder)
    corpus = found(entry.files or config.corpus.files, config.corpus.text, grouping(config.groups.by))
    pairs = learned_pairs(entry, len(corpus.documents), corpus.n_pairs)
    told_of_training(entry, config.corpus, corpus.n_seen)
    return Member(entry, config, loaded, tracked, corpus, parent, pairs)
