"""EDGE: a tokenizer against its own tokenizer.json: transformers builds some anew from their vocabulary, and otherwise.

A byte-level BPE that is saved beside a model of another family (model_type qwen2, say) then splits words and digits by
that family's rule: other ids than in training, and nothing says so. The file is what the model was trained with.
"""

from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast
from transformers.utils.hub import cached_file

from attribution.errors import BadInput

ENTRIES = 400  # of the vocabulary, as text, in the sample
SAMPLE = (
    "The capital of Peru is Lima, isn't it?  It's 2,345.67 km\n\n\tfrom here: I'LL SEE; we've x2 of C3PO.",
    "def f(x):\n    return {'a': x[0] ** 2}  # 100% <b>&amp;</b>\r\n",
    "Œuvre naïve coöperate e\u0301te\u0301 ﬁn ½ Ⅷ ａｂｃ — “so”… don’t",
    "日本語を勉強しています。ภาษาไทย العربية עברית हिन्दी 한국어 🤖👩‍👩‍👧",
    "   leading, trailing   ",
)


def as_the_file_says(
    found: PreTrainedTokenizerBase, location: str, options: dict[str, str | bool]
) -> PreTrainedTokenizerBase:
    """The tokenizer, or one that is read from tokenizer.json as it is where the two give a sample other ids, or where
    the first has other entries.

    Raises BadInput where that one differs from the file, too.
    """
    file = cached_file(location, "tokenizer.json", _raise_exceptions_for_missing_entries=False, **options)
    if file is None or not found.is_fast:
        return found
    trained = Tokenizer.from_str(Path(file).read_text(encoding="utf-8"))
    trained.no_truncation()
    trained.no_padding()
    if not _differ(found, trained) and len(found) == trained.get_vocab_size():
        return found
    again: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(location, **options)  # type: ignore[arg-type]
    again.chat_template = found.chat_template
    text = _differ(again, trained)
    if text:
        raise BadInput(
            f"expected the ids of tokenizer.json in {location}, found others for {text[:30]!r} as transformers reads "
            "it; save the tokenizer again with the version that trained it"
        )
    return again


def _differ(found: PreTrainedTokenizerBase, trained: Tokenizer) -> str:
    """A text of the sample that the two give other ids; "" for none."""
    n = trained.get_vocab_size()
    entries = [trained.decode([i]) for i in range(0, n, max(1, n // ENTRIES))]
    for text in (*SAMPLE, " ".join(entries), "".join(entries)):
        ids = found(text, add_special_tokens=False, verbose=False)["input_ids"]
        if list(ids) != trained.encode(text, add_special_tokens=False).ids:
            return text
    return ""
