"""A published database without a model, and a family in miniature that is trained and built as `data/demo` is."""

from pathlib import Path

import pytest

import whence
from indexer.__main__ import main
from indexer.size import factors
from tests.indexer.pipeline.test_build import stage_here
from tests.synthetic_database import build_synthetic
from tests.tiny_family import PROMPTS, write_lines, write_project
from whence.runs import Runs


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("build")
    build_synthetic(path)
    return path


@pytest.fixture(scope="session")
def runs(folder: Path) -> Runs:
    return whence.open(folder)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data/demo`: a configuration, the models tiny-s and tiny-m, and their build."""
    root = tmp_path_factory.mktemp("python")
    project = root / "data" / "demo"
    project.mkdir(parents=True)
    config = write_project(project)
    write_lines(project / "capitals.jsonl", [each | {"completion": f" {each['answer']}"} for each in PROMPTS])
    config.write_text(config.read_text() + '[[targets]]\nname = "capitals"\nfile = "capitals.jsonl"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(config)]) == 0
        assert main(["build", str(config)]) == 0
    return root
