"""Which size a free process takes: the largest goes first, a fine-tuned model waits for its parent."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from indexer.config.config import Config, Corpus, Model, Output, Prompts
from indexer.pipeline import crew as crew_module
from indexer.pipeline.crew import Order, build_sizes, next_order, to_join


@dataclass
class Crew:
    """Orders of sizes, given smallest first, and what is built."""

    orders: list[Order]
    built: set[str] = field(default_factory=set)

    def take(self, waiting: list[Order], largest: bool) -> str | None:
        order = next_order(waiting, self.built, self.orders, largest)
        if order is None:
            return None
        waiting.remove(order)
        return order.entry.name


def crew(*entries: Model) -> Crew:
    config = Config(corpus=Corpus(()), model=entries, prompts=Prompts(Path("p.jsonl")), output=Output(Path("build")))
    return Crew([Order(entry, config, ()) for entry in entries])


@pytest.fixture
def family() -> Crew:
    chat = Model("m-chat", "f", "m-chat", stage="finetuned", parent="m")
    return crew(Model("s", "f", "s"), Model("m", "f", "m"), chat, Model("l", "f", "l"))


def test_the_first_takes_the_largest_and_the_others_the_smallest(family):
    waiting = list(family.orders)
    assert family.take(waiting, largest=True) == "l"
    assert family.take(waiting, largest=False) == "s"
    assert family.take(waiting, largest=False) == "m"


def test_a_child_waits_for_its_parent(family):
    waiting = [order for order in family.orders if order.entry.name == "m-chat"]
    assert family.take(waiting, largest=False) is None
    family.built.add("m")
    assert family.take(waiting, largest=False) == "m-chat"


def test_a_parent_that_is_not_to_be_built_is_not_waited_for():
    alone = crew(Model("m-chat", "f", "m-chat", stage="finetuned", parent="m"))
    assert alone.take(list(alone.orders), largest=True) == "m-chat"


def test_a_parent_is_not_kept_for_last_by_being_the_largest():
    both = crew(Model("s", "f", "s"), Model("m", "f", "m"), Model("c", "f", "c", stage="finetuned", parent="m"))
    assert both.take(list(both.orders), largest=True) == "s"


def test_a_free_process_joins_what_one_process_builds_alone(family):
    small, _, _, large = family.orders
    assert to_join([large, small], set()) is small
    assert to_join([large, small], {"s"}) is large
    assert to_join([large], {"l"}) is None
    assert to_join([], set()) is None


def test_it_joins_a_parent_that_another_size_waits_for_before_any_other(family):
    small, medium, _, large = family.orders
    assert to_join([medium, small, large], set(), {"m", None}) is medium
    assert to_join([medium, small, large], {"m"}, {"m", None}) is large


def test_a_process_joins_a_parent_that_the_next_size_waits_for(monkeypatch):
    """Sizes end as they are listed; what each process was started for is told in order."""
    started, ends = [], ["l", "m", "c"]

    class Worker:
        def __init__(self, order, threads, report, joins=False):
            self.order, self.joins, self.events = order, joins, self
            started.append((order.entry.name, joins))

        def read(self):
            return SimpleNamespace(name=self.order.entry.name)

        def end(self):
            pass

    def wait(workers):
        name = ends.pop(0)
        return [each for each in workers if each.order.entry.name == name and not each.joins]

    monkeypatch.setattr(crew_module, "_Worker", Worker)
    monkeypatch.setattr(crew_module, "wait", wait)
    sizes = crew(Model("m", "f", "m"), Model("c", "f", "c", stage="finetuned", parent="m"), Model("l", "f", "l"))
    given, before = [], torch.get_num_threads()
    for made in build_sizes(sizes.orders, 2, None):
        given.append((made.name, len(started), torch.get_num_threads()))
    # what comes next is under way when a size is given, and takes the cores
    assert given == [("l", 3, max(1, os.cpu_count() // 2)), ("m", 5, given[0][2]), ("c", 5, given[0][2])]
    assert torch.get_num_threads() == before
    assert started == [("l", False), ("m", False), ("m", True), ("c", False), ("c", True)]
