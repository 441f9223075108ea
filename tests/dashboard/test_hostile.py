"""A database in which every name, prompt, answer and document is hostile: screens draw it, literally, and bounded."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import tests.synthetic_database as synthetic
from dashboard.address.screen import screens
from indexer.corpus.document import Document
from tests import synthetic_reading
from tests.dashboard.drawn import components
from tests.dashboard.hostile import HOSTILE, LONG, build_hostile, conversation, long_document, pair
from tests.synthetic_reading import tokens

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile")
    build_hostile(path)
    return path


@pytest.mark.parametrize("screen", screens())
def test_every_screen_draws_it(open_app: Open, hostile: Path, screen: str) -> None:
    app = open_app(screen=screen, where=hostile)
    assert not app.exception
    for element in [*app.markdown, *app.caption, *app.subheader]:
        assert "<script" not in element.value and "evil.invalid" not in element.value


def test_the_text_is_shown_literally_and_cut(open_app: Open, hostile: Path) -> None:
    app = open_app(where=hostile)
    [strip] = components(app, "token_strip")
    documents, *_ = components(app, "document_list")
    shown = [token["text"] for token in strip["answer"] + strip["prompt"]]
    assert max(len(text) for text in shown) <= 220
    pieces = [text for item in documents["items"] for text, _ in item["pieces"]]
    assert "\u202e" not in "".join(shown + pieces)


@pytest.mark.parametrize(("made", "roles"), [(conversation, 10), (pair, 4)])
def test_turns_are_shown_literally_and_cut(
    open_app: Open, hostile: Path, made: Callable[[], Document], roles: int
) -> None:
    app = open_app({"document": made().document_id}, screen="corpus", where=hostile)
    assert not app.exception
    item = next(each for each in components(app, "document_list") if each["label"] == "The document")["items"][0]
    chips = [text for (text, _), kind in zip(item["pieces"], item["kinds"], strict=True) if kind == "role"]
    assert len(chips) == roles and max(map(len, chips)) <= 220
    shown = "".join(text for text, _ in item["pieces"])
    assert "<script>window.hacked" in shown and not {"\u202e", "\x00", "\u200b"} & set(shown)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "FACTS", synthetic.FACTS[:11])
        patch.setattr(synthetic, "tokens", short_tokens)
        patch.setattr(synthetic_reading, "tokens", short_tokens)
        patch.setattr(synthetic, "SIZES", {"synth-s": (2, 60_000)})
        synthetic.build_synthetic(path, [long_document()])
    return path


def short_tokens(text: str, control: str = "") -> list[tuple[str, int, int]]:
    """A document of 16 MB is one token here: what is looked at is the page, and not how it is cut into words."""
    return tokens(text, control) if len(text) < LONG // 2 else [(text, 0, len(text))]


@pytest.mark.parametrize("screen", ["corpus", "explain", "runs"])
def test_sixteen_megabytes_of_it_are_cut_and_shown_literally(open_app: Open, long: Path, screen: str) -> None:
    document = long_document()
    begun = time.monotonic()
    app = open_app({"document": document.document_id, "filter": "x", "in": "documents"}, screen=screen, where=long)
    assert not app.exception
    assert time.monotonic() - begun < 30
    for element in [*app.markdown, *app.caption, *app.subheader]:
        assert len(element.value) < 2000
    sent = json.dumps([components(app, name) for name in ("document_list", "prose", "token_strip", "prompt_table")])
    assert len(sent) < 2_000_000  # of what was 16 MB
    sent.encode()
    assert "\\u202e" not in sent and "\\ud800" not in sent
    if screen == "corpus":
        assert "Cut: the first" in sent or "characters after" in sent
        assert "<script>window.hacked=1</script>" in sent and "xxxx" in sent  # literally


@pytest.mark.parametrize("screen", [name for name in screens() if name != "about"])
def test_a_hostile_address_is_text(open_app: Open, screen: str) -> None:
    """Every key of the address at once."""
    keys = ("generation", "document", "token", "layer", "scale", "text", "filter", "search", "topic", "source")
    for text in (*HOSTILE[:3], HOSTILE[6], HOSTILE[-1]):
        app = open_app(dict.fromkeys(keys, text), screen=screen)
        assert not app.exception, text[:40]
