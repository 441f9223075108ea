"""A prompt names its documents by our ids or by the corpus's own."""

import json

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
