"""Documents as a stage of training read them: what cannot be is named."""

import json

import pytest
from tokenizers import normalizers

from attribution.errors import BadInput
from attribution.loading.specials import choose_specials
from attribution.trained.document import Training
from attribution.trained.windows import Windows
from indexer.config.config import Corpus, Model
from indexer.corpus.as_trained import read_document, training_of
from indexer.corpus.document import Document
from tests.attribution.prompt.tiny_prompt import byte_tokenizer

OVERLAPPING = Corpus(window=500, overlap=60)
DROPPED = "\u200b\u200b"


def test_an_overlap_that_leaves_a_window_of_this_model_nothing_new_names_the_model():
    assert training_of(Model("m", "f", "m"), OVERLAPPING, 61) == Training(Windows(61, 60))
    assert training_of(Model("m", "f", "m"), OVERLAPPING, 1000) == Training(Windows(500, 60))
    with pytest.raises(BadInput, match="below the 60 tokens that m reads at once, its context, found 60;"):
        training_of(Model("m", "f", "m"), OVERLAPPING, 60)


@pytest.mark.parametrize("given", [{}, {"prompt": "", "completion": DROPPED}, {"chosen": "Lima", "rejected": DROPPED}])
@pytest.mark.parametrize("title", ["Peru", ""])
def test_a_document_of_which_the_tokenizer_keeps_nothing_is_named(given, title):
    tokenizer = byte_tokenizer()
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\u200b", "")
    document = Document("12ab", "corpus", title, "", "", DROPPED, json.dumps(given) if given else "")
    how = Training(Windows(64))
    with pytest.raises(BadInput, match=f"document {title or '12ab'}: expected words, found none that the tokenizer"):
        read_document(document, tokenizer, choose_specials(tokenizer, begin="", end=("",)), how)
    assert len(read_document(document, tokenizer, choose_specials(tokenizer), how).row) >= 2  # begin and end tokens
