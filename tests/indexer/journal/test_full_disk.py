"""A disk that is really full, under everything that writes a part: each ends with the same clear line."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from attribution.errors import TryAgain
from indexer.corpus.document import Document, document_id
from indexer.database.publish import publish
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import finished, stage
from indexer.search.text_index import write_text_index
from tests.indexer.journal.computations import write_much
from tests.synthetic_database import Synthetic, documents, prompts

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
NOISE = np.random.default_rng(0).bytes(4 << 20)  # it cannot be compressed away


@pytest.fixture(scope="module")
def mounted(tmp_path_factory) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path_factory.mktemp("small")
    if os.system(f"mount -t tmpfs -o size=1m tmpfs {folder} 2>/dev/null"):  # noqa: S605
        pytest.skip("may not mount here")
    yield folder
    os.system(f"umount {folder}")  # noqa: S605


@pytest.fixture
def small(mounted) -> Iterator[Path]:
    folder = mounted / "build"
    folder.mkdir()
    yield folder
    os.system(f"rm -rf {folder}")  # noqa: S605


def many_documents() -> list[Document]:
    texts = [NOISE[i : i + 600].hex(" ", 4) for i in range(0, 1 << 20, 600)]
    return [Document(document_id(text), "made", "", "", "", text) for text in texts]


WRITERS = {
    "rows": lambda part: write_shard(part.folder, "document", {"text": [NOISE.hex()]}),
    "arrays": lambda part: np.savez(part.folder / "a.npz", a=np.frombuffer(NOISE, dtype=np.uint8)),
    "tensors": lambda part: save_file({"a": torch.frombuffer(bytearray(NOISE), dtype=torch.uint8)}, part.folder / "a"),
    "text": lambda part: (part.folder / "a.json").write_text(json.dumps(NOISE.hex())),
    "text index": lambda part: write_text_index(many_documents(), part.folder),
    "text index of tantivy": lambda part: write_text_index(many_documents()[:700], part.folder, "tantivy"),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh leaves its files open
@pytest.mark.parametrize("what", WRITERS)
def test_a_part_that_finds_no_room_is_dropped_and_the_same_command_goes_on(small, what):
    with pytest.raises(TryAgain, match="expected room on the disk"):
        stage(small, "s", "k", ["all"], WRITERS[what])
    assert finished(small) == []
    assert list((small / "parts" / "s").iterdir()) == []
    [part] = stage(small, "s", "k", ["all"], lambda part: (part.folder / "a").write_text("small"))
    assert part.files


def test_a_part_in_a_process_of_its_own_finds_no_room(small):
    with pytest.raises(TryAgain, match="expected room on the disk"):
        stage(small, "s", "k", ["all"], write_much, isolate=True)
    assert list((small / "parts" / "s").iterdir()) == []


def test_a_publication_that_finds_no_room_leaves_the_one_before(small):
    made = Synthetic(documents()[:4], prompts()[:1], 0)
    few = stage(small, "few", "k", ["all"], made.corpus_part)
    with pytest.raises(TryAgain, match="expected room on the disk"):
        publish(small, few)  # a database of no rows is a megabyte
    assert list(small.glob("*snap*")) == []
    assert not (small / "CURRENT").exists()
    assert len(finished(small)) == 1


def test_the_journal_finds_no_room(small):
    def compute(part: Partition) -> None:
        (part.folder / "a").write_text("small")
        (small / "ballast").write_bytes(bytes(os.statvfs(small).f_bavail * os.statvfs(small).f_frsize - 4096))

    with pytest.raises(TryAgain, match="expected room on the disk"):
        stage(small, "s", "k", range(40), compute)
    (small / "ballast").unlink()
    before = len(finished(small))
    assert len(stage(small, "s", "k", range(40), lambda part: (part.folder / "a").write_text("small"))) == 40 > before
