"""The memory of a snapshot gives what was computed, once, and holds no more than it may."""

import random
import threading
from functools import partial

import pytest

from indexer.database.memory import Memory
from indexer.database.reader import Database
from tests.indexer.small_build import build


def test_it_equals_a_list_of_the_last_ones_asked():
    """Against a plain list, for random questions."""
    rng, memory, asked, last = random.Random(0), Memory(), [], []

    def square(value):
        asked.append(value)
        return value**2

    for _ in range(500):
        value = rng.randrange(8)
        expected = value in last
        before = len(asked)
        assert memory.ask("square", value, partial(square, value), most=4) == value**2
        assert (len(asked) == before) == expected
        last = ([each for each in last if each != value] + [value])[-4:]


def test_questions_do_not_answer_each_other_and_a_fault_is_not_kept():
    memory = Memory()
    assert memory.ask("one", (1,), lambda: "a", most=2) == "a"
    assert memory.ask("two", (1,), lambda: "b", most=2) == "b"
    with pytest.raises(ValueError, match="once"):
        memory.ask("three", (), lambda: int("once"), most=2)
    assert memory.ask("three", (), lambda: "c", most=2) == "c"
    memory.forget()
    assert memory.ask("one", (1,), lambda: "new", most=2) == "new"


def test_many_threads_get_the_answers_to_what_they_asked():
    memory, wrong = Memory(), []

    def ask(seed):
        rng = random.Random(seed)
        for _ in range(2000):
            value = rng.randrange(6)
            if memory.ask("double", value, partial(int.__mul__, 2, value), most=3) != 2 * value:
                wrong.append(value)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_every_snapshot_has_a_memory_of_its_own(tmp_path):
    build(tmp_path)
    one, other = (Database(tmp_path).current() for _ in range(2))
    assert one.memory.ask("n", (), lambda: 1, most=2) == 1
    assert other.memory.ask("n", (), lambda: 2, most=2) == 2
