"""Everything that parses a file from outside, on files that are nearly right: a value, or an error of ours in one line.

Beside these: corpus readers in tests/indexer/corpus, the configuration in tests/indexer/config/test_config_fuzz.py,
sign-in files in tests/dashboard/server/test_sign_in.py, prompts of any JSON in tests/indexer/corpus/test_prompt.py.
"""

import json
import shutil
import struct
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution.curvature.store import MANIFEST, _manifest
from attribution.errors import BadInput, Damaged, Locked, WhenceError
from attribution.loading.load import load_model
from dashboard.address.selection import address, from_address
from indexer.config.config import described, read_config, restored
from indexer.corpus.prompt_file import read_prompts
from indexer.database.check import check
from indexer.database.reader import Database
from indexer.database.snapshot_file import read_current
from indexer.journal.lines import finished, unreadable_lines
from indexer.journal.lock import lock
from indexer.worker.job import job_id
from tests.attribution.loading.test_load import saved  # noqa: F401 (a fixture)
from tests.indexer.small_build import build
from tests.mutations import mutated
from tests.tiny_family import CONFIG

few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
PROMPTS = b'{"prompt": "The capital of Peru is", "answer": "Lima"}\n{"messages": [{"role": "user", "content": "Hi"}]}\n'
PROMPTS += '{"question": "Who?", "docs": [{"title": "é", "text": "one"}], "supports": ["a"], "output": "Me"}\n'.encode()


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


def one_line(action: Callable[[], object], *kinds: type[WhenceError]) -> None:
    try:
        action()
    except kinds as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert len(str(error)) < 2000


@given(mutated(PROMPTS))
def test_prompts(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "fuzz-prompts.jsonl"
    file.write_bytes(content)
    one_line(lambda: read_prompts(file), BadInput)


@given(mutated(CONFIG.encode()))
def test_a_configuration(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "fuzz.toml"
    file.write_bytes(content)

    def round_trip() -> None:
        config = read_config(file)
        assert described(restored(described(config))) == described(config)

    one_line(round_trip, BadInput)


@given(st.data())
def test_the_configuration_in_a_database(tmp_path_factory, data):
    file = tmp_path_factory.getbasetemp() / "good.toml"
    file.write_text(CONFIG)
    content = data.draw(mutated(described(read_config(file)).encode())).decode("utf-8", "replace")
    one_line(lambda: restored(content), BadInput)


@few
@given(st.data())
def test_a_journal(built, tmp_path, data):
    good = (built / "journal.jsonl").read_bytes()
    listed = {(part.stage, part.part, part.key, part.folder.name) for part in finished(built)}
    (tmp_path / "journal.jsonl").write_bytes(data.draw(mutated(good)))
    for part in finished(tmp_path):  # what is still listed is what was written
        assert (part.stage, part.part, part.key, part.folder.name) in listed
    unreadable_lines(tmp_path)


@few
@given(st.data())
def test_a_pointer(built, tmp_path, data):
    good = read_current(built)
    (tmp_path / "CURRENT").write_bytes(data.draw(mutated((built / "CURRENT").read_bytes())))
    assert read_current(tmp_path) in (good, None)
    one_line(lambda: Database(tmp_path).current(), BadInput, Damaged)
    one_line(lambda: check(tmp_path), BadInput)


@given(st.binary(max_size=60) | mutated(b'{"pid": 12, "host": "a", "command": "build", "since": "2026"}'))
def test_who_holds_a_lock(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "fuzz-lock"
    with lock(folder):
        (folder / "lock").write_bytes(content)
        with pytest.raises(Locked) as refused, lock(folder):
            pass
    assert "\n" not in str(refused.value)


TABLES = ("model", "document", "generation_token", "influence", "influence_position", "target")


@few
@given(st.data())
def test_a_database_file(built, tmp_path, data):
    """Its right size and name, other bytes: every read is right, or says that the file is damaged."""
    current = read_current(built)
    good = (built / current.database).read_bytes()
    edit = st.tuples(st.integers(0, len(good) - 1), st.integers(1, 255))
    edits = data.draw(st.lists(edit, min_size=1, max_size=20, unique_by=lambda each: each[0]))  # none undoes another
    content = bytearray(good)
    for at, bits in edits:
        content[at] ^= bits
    folder = tmp_path / uuid.uuid4().hex  # a name is never used twice: DuckDB would show the file before
    folder.mkdir()
    (folder / "CURRENT").write_bytes((built / "CURRENT").read_bytes())
    (folder / current.database).write_bytes(content)

    def read_all() -> None:
        snapshot, right = Database(folder).current(), Database(built).current()
        for table in TABLES:
            assert snapshot.query(f"SELECT * FROM {table}").equals(right.query(f"SELECT * FROM {table}"))  # noqa: S608

    one_line(read_all, BadInput, Damaged)
    assert [problem.artefact for problem in check(folder)] == [current.database]
    shutil.rmtree(folder)


FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"]


@settings(few, max_examples=12)
@given(data=st.data())
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_model(saved, tmp_path, name, data):  # noqa: F811
    folder = tmp_path / "model"
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    index = json.dumps({"metadata": {}, "weight_map": {"model.norm.weight": "model.safetensors"}}).encode()
    good = (saved / name).read_bytes() if (saved / name).exists() else index
    content = data.draw(mutated(good))
    # a count of layers or rows with more digits asks for the memory that it names: no accident, and not looked for here
    if name == "config.json" and _digits(content) > _digits(good):
        return
    (folder / name).write_bytes(content)
    one_line(lambda: load_model(str(folder), device="cpu"), BadInput)
    (folder / name).unlink()


def _digits(content: bytes) -> int:
    return sum(48 <= byte < 58 for byte in content)


def _text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


GGUF = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)  # version, tensors, entries
GGUF += _text(b"general.architecture") + struct.pack("<I", 8) + _text(b"llama")
GGUF += _text(b"llama.block_count") + struct.pack("<II", 4, 1)
GGUF += _text(b"token_embd.weight") + struct.pack("<IQQIQ", 2, 8, 8, 0, 0) + bytes(512)


@settings(few, max_examples=30)
@given(data=st.binary(max_size=200) | mutated(GGUF))
def test_a_gguf_file(tmp_path, data):
    (tmp_path / "m.gguf").write_bytes(data)
    with pytest.raises(BadInput) as refused:
        load_model(str(tmp_path / "m.gguf"), device="cpu")
    assert "\n" not in str(refused.value)


@given(mutated(json.dumps({"weights_hash": "a", "tokenizer_hash": "b", "layers": ["x"], "files": {"f": "0"}}).encode()))
def test_the_manifest_of_factors(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    (folder / MANIFEST).write_bytes(content)
    one_line(lambda: _manifest(folder), Damaged)


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=300)) | st.text(max_size=300).map(parse_qsl).map(dict))
def test_an_address(query):
    selection = from_address(query)
    assert from_address(address(selection)) == selection


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_a_request_to_the_worker(value):
    assert len(job_id({"prompt": value})) == 16
