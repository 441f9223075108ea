"""Names and links that lead anywhere else are refused before anything is read."""

import shutil
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput
from attribution.loading import load as loading
from attribution.loading.load import load_model
from attribution.loading.place import check_hub_id
from indexer.ask.job import run
from indexer.ask.opened import open_size
from indexer.config.config import described, read_config
from tests.attribution.loading.test_load import saved  # noqa: F401 (a fixture)
from tests.dashboard.changed import changed
from tests.indexer.small_build import build

NAMES = {
    "above": "..",
    "above, twice": "../..",
    "system": "/etc",
    "a file": "/etc/passwd",
    "NUL": "a\x00b",
    "address": "https://evil.invalid/model",
    "file address": "file:///etc",
    "hidden": ".ssh",
    "option": "--upload-pack=x",
    "three parts": "a/b/c",
    "above inside": "a/../../b",
    "home": "~/model",
    "windows": "..\\..\\x",
    "empty": "",
    "blank": " ",
    "long": "x" * 5000,
    "line": "a\nb",
}


@pytest.fixture(autouse=True)
def nothing_is_read(monkeypatch, request):
    """Whoever asks transformers for anything fails the test."""
    if "saved" in request.fixturenames:
        return

    def asked(*of, **named):
        raise AssertionError(f"asked for {of}")

    monkeypatch.setattr(loading.AutoTokenizer, "from_pretrained", asked)
    monkeypatch.setattr(loading.AutoModelForCausalLM, "from_pretrained", asked)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_as_the_place_of_a_model_it_is_refused_before_reading(name):
    with pytest.raises(BadInput) as refused:
        load_model(name, device="cpu")
    assert "\n" not in str(refused.value)


CONFIG = """
[corpus]
files = ["corpus.jsonl"]
[[model]]
name = {name}
family = "f"
path = {path}
[prompts]
file = "prompts.jsonl"
[output]
folder = "build"
"""


def quoted(text):
    return '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"'


def configured(folder, name="m", path="models/m"):
    file = folder / "c.toml"
    file.write_text(CONFIG.format(name=quoted(name), path=quoted(path)))
    return read_config(file)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A database that was built with this configuration."""
    folder = tmp_path_factory.mktemp("published")
    build(folder)
    config = described(configured(folder)).replace("'", "''")
    return changed(folder, folder / "changed", [f"UPDATE meta SET config = '{config}'"])  # noqa: S608


@pytest.mark.parametrize("name", [name for name in NAMES.values() if name != "--upload-pack=x"] + ["a/b", "-x"])
def test_as_the_name_of_a_model_it_is_refused(tmp_path, name):
    with pytest.raises(BadInput):
        configured(tmp_path, name=name)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_as_a_path_in_a_configuration_it_is_refused(tmp_path, name):
    with pytest.raises(BadInput) as refused:
        load_model(configured(tmp_path, path=name).model[0].path, device="cpu")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_question_to_it_is_refused(published, tmp_path, name):
    with pytest.raises(BadInput, match="expected a model of the configuration"):
        open_size(configured(tmp_path), name)
    with pytest.raises(BadInput, match="expected a model of the configuration"):
        run({"folder": str(published), "model": name, "prompt": "a"}, lambda *of: None, lambda: False)


def is_accepted(text):
    """As a hub id."""
    try:
        return check_hub_id(text) == text
    except BadInput:
        return False


@given(st.text(max_size=30))
def test_a_hub_id_is_a_name_or_two(text):
    assert is_accepted(text) <= is_a_name_or_two(text)


def test_of_all_short_texts_those_are_hub_ids_that_are_a_name_or_two():
    texts = ["".join(of) for n in range(6) for of in product("a./-@ ", repeat=n)]
    assert [text for text in texts if is_accepted(text)] == [text for text in texts if is_a_name_or_two(text)]


def is_a_name_or_two(text):
    parts = text.split("/")
    begun = all(part and part[0].isalnum() for part in parts)
    plain = text.isascii() and all(char.isalnum() or char in "._-/" for char in text)
    return begun and plain and len(parts) <= 2 and ".." not in text


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json", "vocab.txt"])
def test_a_link_that_leaves_the_folder_is_refused(saved, tmp_path, file):  # noqa: F811
    folder = tmp_path / "models" / "m"
    shutil.copytree(saved, folder)
    outside = tmp_path / "outside"
    (folder / file).rename(outside) if (folder / file).exists() else outside.touch()
    (folder / file).symlink_to(outside)
    with pytest.raises(BadInput, match=f"found that {file} is a link outside"):
        load_model(str(folder), device="cpu")


def test_the_links_of_a_hub_cache_and_links_inside_are_followed(saved, tmp_path):  # noqa: F811
    folder = tmp_path / "models--a--b" / "snapshots" / "0123"
    shutil.copytree(saved, folder)
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    (folder / "model.safetensors").rename(blobs / "abc")
    (folder / "model.safetensors").symlink_to("../../blobs/abc")
    (folder / "again.json").symlink_to("config.json")
    loaded = load_model(str(folder), device="cpu")
    assert loaded.weights_hash == load_model(str(saved), device="cpu").weights_hash
