"""A new prompt reads the documents that it scores, a few that it is held against, and no others, however large the
corpus is."""

import os
from functools import partial
from pathlib import Path

import pytest

from attribution.errors import BadInput, Damaged
from indexer.__main__ import main
from indexer.ask import surprise
from indexer.ask.opened import Opened, open_size
from indexer.ask.steps import ask
from indexer.config.config import read_config
from indexer.corpus import corpus, reader, stored
from indexer.corpus.as_trained import read_document
from indexer.corpus.document import Document
from indexer.corpus.prompt import Prompt
from indexer.corpus.stored import open_corpus
from indexer.journal import lines, stages
from indexer.journal.stages import finished
from indexer.size import corpus_pass, factors, member, texts
from indexer.size.member import open_member
from indexer.tracing import candidates
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import write_project

N_DOCUMENTS, N_RANDOM, N_HELD_AGAINST = 400, 7, 5
SETTINGS = {"candidates = 10": "candidates = 6", "documents = 5": "documents = 3", "epochs = 12": "epochs = 1"}


@pytest.fixture(scope="module", autouse=True)
def many_partitions():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_pass, "DOCUMENTS", N_DOCUMENTS // 8)
        yield


@pytest.fixture(scope="module")
def config(many_partitions, tmp_path_factory) -> Path:
    path = write_project(
        tmp_path_factory.mktemp("large"), [f"The number of house {n} in the street is {n}." for n in range(N_DOCUMENTS)]
    )
    text = path.read_text()
    for old, new in SETTINGS.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text + "[index]\ncandidates = 2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        patch.setattr(candidates, "N_RANDOM", N_RANDOM)
        assert main(["train", str(path), "--model", "tiny-s"]) == 0
        assert main(["build", str(path), "--model", "tiny-s"]) == 0
    return path


@pytest.fixture
def opened(config) -> Opened:
    return open_size(read_config(config), "tiny-s")


@pytest.mark.parametrize("rendered", ["kept", "not kept, as before there was room for it"])
def test_the_documents_that_are_scored_are_read_and_no_others(config, monkeypatch, rendered):
    monkeypatch.setattr(candidates, "N_RANDOM", N_RANDOM)
    monkeypatch.setattr(surprise, "DOCUMENTS", (N_HELD_AGAINST, N_HELD_AGAINST))
    held_against = set(range(0, N_DOCUMENTS, N_DOCUMENTS // N_HELD_AGAINST))
    read: list[str] = []
    tokenised: list[str] = []
    rows: list[int] = []
    of_row = texts.Texts._row

    def document(*of):
        made = Document(*of)
        read.append(made.text)
        return made

    def encoded(given, *of):
        tokenised.append(given.text)
        return read_document(given, *of)

    def row(of, i):
        rows.append(i)
        return of_row(of, i)

    monkeypatch.setattr(corpus, "Document", document)
    monkeypatch.setattr(member, "read_document", encoded)
    monkeypatch.setattr(texts.Texts, "_row", row)
    if rendered != "kept":
        monkeypatch.setattr(member, "kept", lambda *of: None)
    for module in (reader, stored, member):
        monkeypatch.setattr(module, "read_corpus", None)  # calling it fails
    monkeypatch.setattr(reader, "rows", None)
    asked = ask(open_size(read_config(config), "tiny-s"), Prompt.from_text("The number of house 17 is"))
    assert asked.exact is not None
    assert asked.found is not None
    found = asked.found.documents.tolist()
    assert len(found) <= N_RANDOM + 6 + asked.answer.n_targets * 5 < N_DOCUMENTS / 8
    if rendered == "kept":
        assert set(rows) == set(found) | held_against
        assert (read, tokenised) == ([], [])
    else:
        wanted = {f"The number of house {n} in the street is {n}." for n in {*found, *held_against}}
        assert set(read) == set(tokenised) == wanted
        assert len(read) == len(tokenised) <= len(found) + N_HELD_AGAINST


def test_opening_reads_no_part_that_nobody_has_touched(config, monkeypatch):
    def hashed(part):
        raise AssertionError(f"{part.stage} was read")

    monkeypatch.setattr(stages, "changes", hashed)
    open_size(read_config(config), "tiny-s")


def test_the_journal_is_read_once_however_many_stages_and_partitions_there_are(config):
    assert len(finished(config.parent / "build", "corpus-tiny-s")) == 8
    lines._lines.cache_clear()
    open_size(read_config(config), "tiny-s")
    asked = lines._lines.cache_info()
    assert (asked.misses, asked.hits > 4) == (1, True)


def test_a_stored_corpus_says_what_the_files_say(config, opened):
    settings = read_config(config)
    whole = open_member(settings.model[1], settings)
    found = opened.member
    assert found.corpus.hash == whole.corpus.hash
    assert list(found.documents) == list(whole.documents)
    assert list(found.document_ids) == [document.document_id for document in whole.documents]
    assert list(found.rows) == list(whole.rows)
    assert found.base_key == whole.base_key
    ids = [whole.documents[i].document_id for i in (399, 0, 20)]
    assert found.places([*ids, "0123456789abcdef"]) == dict(zip(ids, (399, 0, 20), strict=True))


def test_other_text_is_refused_with_the_command_and_a_new_date_is_not(config, tmp_path):
    corpus = config.with_name("corpus.jsonl")
    before, times = corpus.read_bytes(), corpus.stat()
    find = partial(open_corpus, config.parent / "build", [corpus])
    try:
        os.utime(corpus, ns=(0, 0))
        assert len(find().documents) == N_DOCUMENTS
        corpus.write_bytes(before.replace(b"house 17 ", b"house 71 ", 1))
        with pytest.raises(BadInput, match="run `whence build`"):
            find()
        corpus.unlink()
        with pytest.raises(BadInput, match="correct the path"):
            find()
    finally:
        corpus.write_bytes(before)
        os.utime(corpus, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(BadInput, match="run `whence build`"):
        open_corpus(tmp_path, [corpus])


def test_a_changed_bit_of_documents_or_index_is_named(config):
    for stage in ("documents", "corpus-tiny-s"):
        part = finished(config.parent / "build", stage)[-1]
        file = part.folder / next(name for name in part.files if name.endswith((".arrow", ".safetensors")))
        before, times = file.read_bytes(), file.stat()
        file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises(Damaged, match=file.name):
            open_size(read_config(config), "tiny-s")
        file.write_bytes(before)  # whole again, with another date: read, and found to be what was written
        open_size(read_config(config), "tiny-s")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
