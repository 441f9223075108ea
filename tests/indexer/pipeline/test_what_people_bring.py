"""What people bring, through train, build and ask: a pattern of compressed arrays, a saved folder
of conversations, prompts that name documents by the ids of the corpus itself."""

import gzip
import json
from pathlib import Path

import pytest

from indexer.__main__ import main
from indexer.ask.opened import open_size
from indexer.config.config import read_config
from indexer.corpus.document import document_id
from indexer.database.check import check
from indexer.database.reader import Database
from indexer.size import factors
from tests.indexer.corpus.test_given import save_to_disk
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import PROMPTS, TEXTS, write_lines, write_project

SAID = [
    {"messages": [{"role": "user", "content": f"Repeat: {text}"}, {"role": "assistant", "content": text}]}
    for text in TEXTS[:4]
]


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    path = write_project(tmp_path_factory.mktemp("brought"))
    folder = path.parent
    (folder / "corpus.jsonl").unlink()
    (folder / "data").mkdir()
    for i in range(2):
        rows = [{"content": text, "id": f"{i}-{n}"} for n, text in enumerate(TEXTS[i::2])]
        (folder / "data" / f"{i}.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    save_to_disk(folder / "data" / "chat", SAID)
    # the document of each prompt's own country, by the id of its file; the last is called otherwise
    named = [*({"supports": [f"{n % 2}-{n // 2}"]} for n in range(len(PROMPTS) - 1)), {"supports": ["lost"]}]
    write_lines(folder / "prompts.jsonl", [a | b for a, b in zip(PROMPTS, named, strict=True)])
    text = path.read_text()
    first, second = text.index('[[model]]\nname = "tiny-m"'), text.index('[[model]]\nname = "tiny-s"')
    text = (text[:first] + text[second:]).replace("epochs = 12", "epochs = 2")
    text = text.replace('["corpus.jsonl"]', '["data/*.json.gz", "data/chat"]\ntext = ["content", "messages"]')
    path.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(path)]) == 0
        yield path


def test_input_16_and_18_the_build_reads_them_and_names_what_it_does_not_know(config, capsys):
    assert main(["build", str(config)]) == 0
    said = capsys.readouterr().err
    assert f"{len(TEXTS) + len(SAID)} documents" in said
    assert "prompts.jsonl: no document has the id that `supports` names: 'lost'" in said
    assert said.count("no document has the id") == 1
    opened = open_size(read_config(config), "tiny-s")
    assert [each.text for each in opened.member.documents][:2] == [TEXTS[0], TEXTS[2]]
    assert json.loads(opened.member.documents[len(TEXTS)].turns) == SAID[0]
    assert opened.text.search(TEXTS[0])[0].document_id == document_id(TEXTS[0])
    assert check(config.parent / "build") == []
    [stored] = Database(config.parent / "build").current().rows("SELECT count(*) AS n FROM document WHERE turns <> ''")
    assert stored["n"] == len(SAID)
    assert main(["ask", str(config), json.dumps([{"prompt": "The capital of Peru is"}], indent=1)]) == 0
    assert main(["ask", str(config), '{ "prompt": "The capital']) == 2
    assert "expected JSON, as the text begins" in capsys.readouterr().err
