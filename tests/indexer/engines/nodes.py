"""EDGE: small builds whose parts are computed elsewhere: by an engine of this process, or by nodes of a real one."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from indexer.database.check import content_hash
from indexer.database.snapshot_file import read_current
from indexer.engines.order import Order
from indexer.pipeline import on_node
from indexer.size import corpus_pass
from tests.indexer.built_model import CONFIG, ENTRIES, project
from tests.tiny_family import TEXTS, write_lines

CUT = 4  # documents of a partition of the corpus pass: twelve documents are three parts
LLAMA = AutoConfig.for_model(
    "llama",
    vocab_size=ENTRIES,
    hidden_size=8,
    intermediate_size=12,
    num_hidden_layers=1,
    num_attention_heads=2,
    max_position_embeddings=64,
)
HANGS = "WHENCE_TEST_HANGS"


def work(order: Order) -> Exception | None:
    """What a node does, with small partitions; one that hangs touches a file and never ends its corpus pass."""
    corpus_pass.DOCUMENTS = CUT
    if os.environ.get(HANGS) and order.stage.startswith("corpus-"):
        Path(os.environ[HANGS]).touch()
        time.sleep(600)
    return on_node.work(order)


class InProcess:
    """Orders are done at once, here; `failing` may make one fail."""

    slots = 2

    def __init__(self, failing: Callable[[Order], Exception | None] = lambda order: None) -> None:
        self.orders: list[Order] = []
        self._failing = failing

    def submit(self, order: Order) -> "Done":
        self.orders.append(order)
        return Done(order, self._failing(order) or work(order))

    def close(self) -> None:
        """Nothing runs."""


class Done:
    """An order that has ended."""

    def __init__(self, order: Order, failure: Exception | None) -> None:
        self.order, self._failure = order, failure

    def done(self) -> bool:
        return True

    def failure(self) -> Exception | None:
        return self._failure

    def stop(self) -> None:
        """It has ended."""


def sizes(folder: Path, names: Sequence[str]) -> Path:
    """A project with random models of these names, two sources, one prompt; returns the configuration's path."""
    head, tail = CONFIG.split("[[model]]")
    tail = "[prompts]" + tail.partition("[prompts]")[2]
    models = []
    for seed, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        torch.manual_seed(seed)
        path = project(AutoModelForCausalLM.from_config(LLAMA), folder / name)
        models.append(f'[[model]]\nname = "{name}"\nfamily = "f"\npath = "{name}/model"\n')
        path.unlink()
    texts = [{"text": text, "source": f"s{i % 2}", "topic": "t"} for i, text in enumerate(TEXTS[:12])]
    write_lines(folder / "corpus.jsonl", texts)
    (folder / names[0] / "prompts.jsonl").rename(folder / "prompts.jsonl")
    found = folder / "m.toml"
    found.write_text(head + "".join(models) + tail.replace("[device]", "[inside]\nenabled = false\n[device]"))
    return found


def published(folder: Path) -> str:
    """Hash of the rows that are published."""
    current = read_current(folder)
    assert current is not None
    return content_hash(folder / current.database)
