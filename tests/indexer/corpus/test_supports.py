"""A prompt names its documents by our ids or by the corpus's own."""

import json
import random

import numpy as np
import pytest

from indexer.corpus.corpus import known
from indexer.corpus.document import document_id
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.reader import read_corpus
from indexer.corpus.supports import Supports

DOCUMENTS = [
    {"text": "Lima.", "id": "peru-1"},
    {"text": "Paris.", "id": 7},
    {"text": "Lima.", "id": "said again"},
    {"text": "Oslo.", "id": "peru-1"},
]
LIMA, PARIS, OSLO = map(document_id, ("Lima.", "Paris.", "Oslo."))


def supported(folder, *supports):
    (folder / "c.jsonl").write_text("".join(json.dumps(each) + "\n" for each in DOCUMENTS))
    rows = [{"prompt": f"prompt {i}", "supports": each} for i, each in enumerate(supports)]
    (folder / "p.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    known, prompts = Supports([read_corpus([folder / "c.jsonl"])]), read_prompts(folder / "p.jsonl")
    return [each.supports for each in known.found(prompts)], known.notice(prompts, "p.jsonl")


def test_input_18_either_id_names_the_document(tmp_path):
    found, notice = supported(tmp_path, [LIMA], ["7"], [7], ["said again", LIMA], ["peru-1"], [], None)
    assert found == [(LIMA,), (PARIS,), (PARIS,), (LIMA,), (LIMA, OSLO), (), ()]
    assert notice == ""


def test_input_18_what_nothing_is_called_is_named(tmp_path):
    found, notice = supported(tmp_path, ["peru-2", LIMA], ["a", "b", "c"])
    assert found == [("peru-2", LIMA), ("a", "b", "c")]
    assert notice.startswith("p.jsonl: no document has the id that `supports` names: 'peru-2', 'a', 'b' and 1 more;")
    assert "\n" not in notice


@pytest.mark.parametrize("n_documents", [0, 1, 300])
def test_which_ids_are_known_is_what_a_set_says(n_documents, tmp_path):
    ids = [document_id(str(i)) for i in range(n_documents)]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps({"text": str(i)}) + "\n" for i in range(n_documents)))
    corpus = read_corpus([tmp_path / "c.jsonl"]) if n_documents else _Without()
    rng = random.Random(0)
    ends = ["0" * 16, "f" * 16]
    for n in range(6):
        named = [
            *rng.sample(ids, min(n, n_documents)),
            *(document_id(f"no {i}") for i in range(n)),
            "peru-1",
            *ends[:n],
        ]
        assert known(corpus, named) == set(named) & set(ids)


class _Without:
    numbers = np.zeros(0, dtype=np.uint64)
