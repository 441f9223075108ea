"""Documents of the corpus as a stage of training read them, by what the configuration says of it."""

import json

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.loading.located import base_of
from attribution.loading.specials import Specials
from attribution.trained.document import TrainedText, Training, trained_text
from attribution.trained.pair import trained_pair
from attribution.trained.windows import Windows
from indexer.config.config import Corpus, Model
from indexer.corpus.document import Document
from indexer.corpus.turns import is_pair


def training_of(entry: Model, corpus: Corpus, context: int) -> Training:
    """How a stage's documents were rendered, cut and learned.    context: of the model, in tokens

    Raises BadInput for an overlap that leaves a window of this model nothing new.
    """
    size = min(corpus.window or context, context)
    if corpus.overlap >= size:
        raise BadInput(
            f"expected an overlap in [corpus] below the {size:,} tokens that {entry.name} reads at once, its context, "
            f"found {corpus.overlap:,}; set window and overlap as its training had them"
        )
    windows = Windows(size, corpus.overlap, corpus.long == "cut")
    return Training(windows, entry.loss or corpus.loss, {}, corpus.packing == "together")


def learned_pairs(entry: Model, n_documents: int, n_pairs: int) -> bool:
    """Whether a stage learned preferences.

    Raises BadInput for pairs beside other documents, for pairs of which nothing tells the reference, and for a
    reference without pairs.
    """
    if 0 < n_pairs < n_documents:
        raise BadInput(
            f"expected pairs of chosen and rejected answers, or none, in the files of {entry.name}, found "
            f"{n_pairs:,} among {n_documents:,} documents; give pairs a [[model]] of their own"
        )
    if n_pairs and not (entry.parent or entry.reference or base_of(entry.path, entry.base)):
        raise BadInput(
            f"expected a parent for {entry.name}, which learned from pairs with its parent as reference, found none; "
            'add that model and parent = "…", or say where its weights are: reference = "…"'
        )
    if entry.reference and not n_pairs:
        raise BadInput(
            f"expected pairs of chosen and rejected answers in the files of {entry.name}, which names a reference, "
            "found none; take reference out"
        )
    return n_pairs > 0


def told_of_training(entry: Model, corpus: Corpus, n_seen: int) -> int:
    """Documents of a stage's whole training, as the configuration says; 0 where it does not.

    n_seen: documents of the files that the stage read, each copy counted. Raises BadInput for fewer than these.
    """
    told, where = (entry.trained_on, f"[[model]] {entry.name}") if entry.files else (corpus.trained_on, "[corpus]")
    if 0 < told < n_seen:
        raise BadInput(
            f"expected trained_on in {where} of at least the {n_seen:,} documents of the files, which are a sample of "
            f"the training, found {told:,}; correct it, or take it out where they are all"
        )
    return told


def nothing_learned(entry: Model, n_documents: int) -> BadInput:
    """For a stage of which no document has a token to learn."""
    return BadInput(
        f"expected documents of which {entry.name} learns a token, found none among {n_documents:,}: each has one "
        "token, or no words of an assistant; give others"
    )


def read_document(
    document: Document, tokenizer: PreTrainedTokenizerBase, specials: Specials, how: Training
) -> TrainedText:
    """One document; raises BadInput, with its name, where it cannot be rendered."""
    given = json.loads(document.turns) if document.turns else {}
    try:
        if is_pair(document.turns):
            return trained_pair(given, tokenizer, specials, how)
        return trained_text(document.text, given, tokenizer, specials, how)
    except BadInput as error:
        raise BadInput(f"document {document.title or document.document_id}: {error}") from None
