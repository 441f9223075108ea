"""Documents as a stage of training read them: what cannot be is named."""

import json

import pytest
from tokenizers import normalizers

from attribution.errors import BadInput
from attribution.loading.specials import choose_specials
from attribution.trained.document import Training
from attribution.trained.windows import Windows
from indexer.corpus.as_trained import read_document
from indexer.corpus.document import Document
from tests.attribution.prompt.tiny_prompt import byte_tokenizer

DROPPED = "\u200b\u200b"


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
