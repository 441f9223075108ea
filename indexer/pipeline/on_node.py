"""EDGE: what a node does: it walks the stages of a size to the one that it was asked for, and computes its parts.

It needs the code and the storage, nothing else: documents and texts are parts of the build, models are carried.
"""

import atexit
import pickle
import shutil
import socket
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import torch

from attribution.errors import BadInput, WhenceError
from indexer.config.config import Config, Model
from indexer.config.versions import VERSIONS
from indexer.corpus.corpus import Corpus
from indexer.corpus.prompt import Prompt
from indexer.corpus.stored import corpus_of_hash
from indexer.engines.carried import at_node
from indexer.engines.order import Order, refuse_other_versions
from indexer.engines.shared_folder import failed, gone
from indexer.engines.storage import Storage, open_storage
from indexer.journal.away import Asked, Reached, asked_for
from indexer.journal.files import folder_stamps
from indexer.journal.lines import Finished, enter, line_of, listed_by
from indexer.journal.stages import NotFinished
from indexer.pipeline.one_size import build_size
from indexer.processes.ended import crashed
from indexer.search.text_index import open_text_index
from indexer.size.member import Member, open_member


@dataclass(frozen=True)
class Size:
    """What a node has to know of a size; it is pickled into every order."""

    config: Config
    entry: Model
    prompts: tuple[Prompt, ...]
    corpora: Mapping[tuple[Path, ...], str]  # hash of what the build has read from some files
    functions: Mapping[str, str]  # of this size and those it was made from: name -> hash of weights and settings
    carried: Mapping[str, str]  # path where the build was started -> name in the storage


def work(order: Order) -> Exception | None:
    """Compute every part of an order and leave it in the storage; what goes wrong is returned, with its cause."""
    node = socket.gethostname()
    try:
        refuse_other_versions(order.versions, VERSIONS, node)
    except WhenceError as error:
        return error
    try:
        _work(order, node)
    except WhenceError as error:
        return gone(order.storage) or error  # a folder that goes looks like damaged files at first
    except OSError as error:
        return failed(order.storage, error) or crashed(f"{order.stage} on {node}", error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the build raises it
        traceback.print_exc()
        return crashed(f"{order.stage} on {node}", error)
    return None


def _work(order: Order, node: str) -> None:
    torch.set_num_threads(order.cpus)
    place = _place(order.storage, order.size)
    storage = place.storage
    place.find(order.lines)
    member = place.member
    for each in member.stages:
        wanted = place.size.functions[each.entry.name]
        if each.loaded.function_hash != wanted:
            raise BadInput(
                f"expected {each.entry.name} with the weights and settings {wanted}, as where the build was started, "
                f"found {each.loaded.function_hash} on {node}; give it the same model"
            )

    def is_there(key: str) -> bool:
        return storage.has_slip(order.stage, key)

    def made(part: Finished) -> None:
        storage.leave(part, line_of(place.folder, part))

    with asked_for(Asked(order.stage, order.keys, is_there, made)):
        try:
            build_size(place.folder, member, place.size.prompts, open_text_index(place.folder), _Silent())
        except Reached:
            return
        except NotFinished as error:
            found = f"none of {error}"
        else:
            found = "no such stage"
    raise WhenceError(f"expected all that {order.stage} is made from on {node}, found {found}; report it")


class Workplace:
    """A folder of this process, with the parts of the storage below it and a journal of those that it was told of."""

    def __init__(self, storage: Storage, size: Size) -> None:
        self.storage, self.size = storage, size
        self.folder = Path(tempfile.mkdtemp(prefix="whence-node-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "parts").symlink_to(storage.parts())
        (self.folder / "journal.jsonl").touch()
        self._listed: set[str] = set()

    def find(self, lines: Sequence[str]) -> None:
        """Have the parts of some lines of a journal here."""
        for line in lines:
            part = None if line in self._listed else listed_by(self.folder, line)
            if part is not None:
                self.storage.bring(part)
                here = replace(part, stamps=folder_stamps(part.folder))  # whole: it is not read again at each stage
                enter(self.folder, [line_of(self.folder, here)])
                self._listed.add(line)

    @cached_property
    def member(self) -> Member:
        """The size, its model opened."""
        config = at_node(self.size.config, self.size.carried, self.storage.carried, self.folder)
        entry = next(each for each in config.model if each.name == self.size.entry.name)
        return open_member(entry, config, self._corpus)

    def _corpus(self, files: Sequence[Path], text: Sequence[str], groups: Sequence[str]) -> Corpus:
        return corpus_of_hash(self.folder, self.size.corpora[tuple(files)])


@lru_cache(maxsize=1)
def _place(storage: str, size: bytes) -> Workplace:
    """A process works on one size for long."""
    found: Size = pickle.loads(size)  # noqa: S301 - of the build that this process works for
    return Workplace(open_storage(storage), found)


class _Silent:
    """The Reporter of a node: the build tells of parts as they come back."""

    def say(self, line: str) -> None:
        """Nobody listens."""

    @contextmanager
    def task(self, name: str, total: float, *, quiet: bool = False) -> Iterator["_Silent"]:
        yield self

    def tick(self, n: float = 1, note: str = "") -> None:
        """Nobody listens."""
