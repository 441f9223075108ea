"""Text that must be shown and must not act, and a database that holds it in every field."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import tests.synthetic_database as synthetic
from indexer.corpus.document import Document, document_id, storable

HOSTILE = [
    "<script>window.hacked = 1; alert('script')</script>",
    "<iframe srcdoc=\"<script>parent.hacked = 1; alert('frame')</script>\"></iframe>",
    "<style>@import url('http://evil.invalid/a.css'); body { background: url(http://evil.invalid/b.png) }</style>",
    "<img src=x onerror=\"window.hacked=1; alert('img')\">",
    "![image](http://evil.invalid/c.png) [link](javascript:alert('link'))",
    "$\\rule{900em}{900em}$ $$\\href{javascript:alert(1)}{x}$$ :red[coloured] :material/delete: # heading",
    "\u202etxet desrever\u202c zero\u200bwidth\ufeff tag\U000e0041 \u2066isolate",
    "'; DROP TABLE document; -- \" ` ${7*7} {{7*7}} %s",
    "NUL\x00 bell\x07 escape\x1b[31m",
    "a" * 10_000,
]


def hostile_facts() -> list[tuple[str, str, str]]:
    """Fifteen countries whose names and currencies are hostile, for the synthetic database."""
    texts = [text.replace("\x00", "\ufffd") for text in HOSTILE]
    capitals = ["Delhi" if i == 7 else f"Capital{i}" for i in range(15)]  # one prompt of that database asks for Delhi
    return [(f"{texts[i % len(texts)]} {i}", capitals[i], texts[(i + 3) % len(texts)]) for i in range(15)]


def conversation() -> Document:
    """Everybody in it, and all that they say, is hostile; as no reader lets it in, but a file from elsewhere holds."""
    said = [{"content": text, "role": storable(HOSTILE[i - 1])} for i, text in enumerate(map(storable, HOSTILE[:-1]))]
    return _made_of({"messages": [*said, {"content": "Yes.", "role": "assistant"}]})


def pair() -> Document:
    """A prompt and two answers, all hostile."""
    asked, *answers = (storable(" ".join(HOSTILE[i:-1:3])) for i in range(3))
    return _made_of({"chosen": answers[0], "prompt": asked, "rejected": answers[1]})


def _made_of(made: dict[str, object]) -> Document:
    turns = json.dumps(made, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    text = storable(" ".join(HOSTILE))
    return Document(document_id(turns), "turns", text, text, text, text, turns)


def build_hostile(folder: Path) -> None:
    """Hostile are the names of models, and text, title, source, topic and turns of documents, prompts and answers."""
    texts = [storable(text) for text in HOSTILE]
    sizes = {f"{texts[i]} {i}": (2 + i, 10**5) for i in range(3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "FACTS", hostile_facts())
        documents, prompts = synthetic.documents(), synthetic.prompts()
        n = len(texts)
        made = [replace(d, source=texts[i % n], topic=texts[(i + 1) % n]) for i, d in enumerate(documents)]
        asked = [replace(p, topic=texts[i % n]) for i, p in enumerate(prompts)]
        patch.setattr(synthetic, "SIZES", sizes)
        patch.setattr(synthetic, "documents", lambda: made)
        patch.setattr(synthetic, "prompts", lambda: asked)
        synthetic.build_synthetic(folder, [conversation(), pair()])


LONG = 16 << 20  # characters
PIECE = "$\\rule{900em}{900em}$ \u202e <script>window.hacked=1</script> \ud800 :red[x] "


def long_document() -> Document:
    """16 MB that begin with formulas, overrides and lone surrogates, as a corpus reader lets them in."""
    text = storable(PIECE * 20) + "x" * LONG
    return Document(document_id(text), "long", text[:1000], "long", "long", text)
