"""Which machines a build works on: the table `[run]`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from attribution.errors import BadInput
from indexer.config.toml_table import Count, Natural, Positive, Range

ENGINES = ("local", "ray", "slurm")
OBJECTS = "s3://"  # begins the address of an object store
# the names of buckets that clients take, and a folder that is said in one line
_ADDRESS = re.compile(r"s3://[A-Za-z0-9._-]{1,255}(/[^\x00-\x1f\x7f]*)?")


@dataclass(frozen=True)
class Run:
    """Which machines `whence build` works on: see [More machines](more-machines.md)."""

    engine: str = "local"
    """`"local"`: this machine. `"ray"` or `"slurm"`: parts of the stages that take long are handed out to its nodes."""
    address: str = ""
    """Of the head of a Ray cluster, as `"10.0.0.5:6379"`; empty: a cluster of this machine alone, made for the build.
    With Slurm `"local"` runs its jobs as processes here, to try it out."""
    storage: str = ""
    """What all nodes reach: `"s3://bucket/folder"`; empty: `[output] folder`, which then has to be a folder that every
    node has under the same path."""
    tasks: Natural = 0
    """Tasks that run at once, at most. 0: on Ray as many as it has room for, on Slurm 8."""
    cpus: Count = 1
    """Cores of each task."""
    gpus: Natural = 0
    """GPUs of each task."""
    memory: Annotated[float, Range(0)] = 0.0
    """GB of each task, which the scheduler keeps for it; 0: what it gives where nothing is said."""
    hours: Positive = 4.0
    """That a job may take at most; Slurm only."""
    queue: str = ""
    """The partition of Slurm that jobs go to; empty: its default."""
    retries: Natural = 3
    """How often a part is handed out again after its node was lost."""


def names_objects(address: str) -> bool:
    """Whether this can be the address of a folder in an object store."""
    return _ADDRESS.fullmatch(address) is not None


def check_run(run: Run, path: Path) -> None:
    """Raises BadInput for an engine or a storage that there is none of, and for what the engine has no use for."""
    if run.engine not in ENGINES:
        raise BadInput(f"expected {', '.join(ENGINES)} for {path.name}, run, engine, found {run.engine!r}; choose one")
    if run.storage and not names_objects(run.storage):
        raise BadInput(
            f"expected 's3://bucket/folder' for {path.name}, run, storage, found {run.storage!r}; leave it out where "
            "[output] folder is shared by all nodes"
        )
    if run.engine == "local" and (run.storage or run.address):
        found = "a storage" if run.storage else "an address"
        raise BadInput(f"expected engine 'ray' or 'slurm' beside it in {path.name}, run, found {found} alone; add one")
    if run.engine == "slurm" and run.address not in ("", "local"):
        raise BadInput(
            f"expected no address, or 'local', for Slurm in {path.name}, run, found {run.address!r}; take it out: "
            "jobs are submitted from where the command is given"
        )
