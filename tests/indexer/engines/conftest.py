"""A small project, and what one process builds of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from indexer.__main__ import main
from indexer.engines import driver
from indexer.size import corpus_pass, factors
from tests.indexer.engines.nodes import CUT, InProcess, published, sizes
from tests.indexer.pipeline.test_build import stage_here


@pytest.fixture(scope="module", autouse=True)
def small_parts():
    """Small partitions, one thread as nodes have, and factors fitted in this process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_pass, "DOCUMENTS", CUT)
        patch.setattr(factors, "stage", stage_here)
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> tuple[Path, str]:
    """A project's configuration, and the hash of what one process publishes of it."""
    config = sizes(tmp_path_factory.mktemp("alone"), ["m"])
    assert main(["build", str(config)]) == 0
    return config, published(config.parent / "build")


@pytest.fixture
def unbuilt(alone, tmp_path) -> Path:
    """The same project, not built."""
    shutil.copytree(alone[0].parent, tmp_path / "project", ignore=shutil.ignore_patterns("build"))
    return tmp_path / "project" / alone[0].name


@pytest.fixture
def away(monkeypatch) -> Callable[..., int]:
    """Build a configuration with an engine and more of `[run]`; returns the exit code."""

    def build(config: Path, engine: InProcess, run: str = "") -> int:
        monkeypatch.setattr(driver, "engine_of", lambda *_: engine)
        text = config.read_text().partition("[run]")[0]
        config.write_text(f'{text}[run]\nengine = "ray"\n{run}')
        return main(["build", str(config)])

    return build
