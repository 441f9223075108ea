"""Documents of the corpus as a stage of training read them, by what the configuration says of it."""

import json

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.loading.specials import Specials
from attribution.trained.document import TrainedText, Training, trained_text
from attribution.trained.windows import Windows
from indexer.config.config import Corpus, Model
from indexer.corpus.document import Document


def training_of(entry: Model, corpus: Corpus, context: int) -> Training:
    """How a stage's documents were rendered, cut and learned.    context: of the model, in tokens"""
    windows = Windows(min(corpus.window or context, context), corpus.overlap, corpus.long == "cut")
    return Training(windows, entry.loss or corpus.loss, {}, corpus.packing == "together")


def read_document(
    document: Document, tokenizer: PreTrainedTokenizerBase, specials: Specials, how: Training
) -> TrainedText:
    """One document; raises BadInput, with its name, where it cannot be rendered."""
    given = json.loads(document.turns) if document.turns else {}
    try:
        return trained_text(document.text, given, tokenizer, specials, how)
    except BadInput as error:
        raise BadInput(f"document {document.title or document.document_id}: {error}") from None
