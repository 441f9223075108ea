"""EDGE: the machine where a build was started: it opens the engine and the storage, and is the only one there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.config.config import Config
from indexer.config.installed import installed
from indexer.config.run import Run
from indexer.engines.lease import lease
from indexer.engines.object_store import ObjectStore
from indexer.engines.on_ray import OnRay
from indexer.engines.on_slurm import OnSlurm
from indexer.engines.order import Engine, Work
from indexer.engines.shared_folder import SharedFolder
from indexer.engines.storage import Storage

PACKAGES = {"local": (), "ray": ("ray",), "slurm": ("submitit",)}


@dataclass(frozen=True)
class Driver:
    """What a build on more machines has open."""

    engine: Engine
    storage: Storage
    still_ours: Callable[[], None]  # raises Locked once another driver has taken the storage over

    def publish(self, path: Path) -> Path:
        """What has just been published here, in the storage too."""
        self.still_ours()
        self.storage.publish(path.parent)
        return path


def check_installed(run: Run) -> None:
    """Raises BadInput, with the command that installs it, where an engine or a client is missing."""
    needed: Sequence[str] = [*PACKAGES[run.engine], *(["s3fs"] if run.storage else [])]
    for name in needed:
        installed(name)


@contextmanager
def driving(config: Config, work: Work) -> Iterator[Driver | None]:
    """None where all is computed here. The caller has locked the output folder.

    Raises BadInput for a storage or a cluster that cannot be used, Locked where another driver has the storage.
    """
    if config.run.engine == "local":
        yield None
        return
    with ExitStack() as open_now:
        storage: Storage
        still_ours: Callable[[], None] = _alone
        if config.run.storage:
            storage = ObjectStore(config.run.storage)
            storage.check()
            still_ours = open_now.enter_context(lease(storage)).check
        else:
            storage = SharedFolder(config.output.folder)
            storage.check()
        engine = engine_of(config, work)
        open_now.callback(engine.close)
        yield Driver(engine, storage, still_ours)


def _alone() -> None:
    """The lock on the output folder is enough."""


def engine_of(config: Config, work: Work) -> Engine:
    """That of the configuration, joined or started."""
    if config.run.engine == "ray":
        return OnRay(config.run, work)
    return OnSlurm(config.run, work, config.output.folder / "slurm")
