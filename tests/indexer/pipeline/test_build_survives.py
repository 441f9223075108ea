"""A real build, of a tiny family: damaged, changed under the same names, killed: the same numbers in the end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.__main__ import main
from indexer.database.check import check, content_hash
from indexer.database.reader import Database
from indexer.database.snapshot_file import read_current
from indexer.journal.stages import Finished, finished
from indexer.size import factors
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import PROMPTS, TEXTS, write_lines, write_project

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", autouse=True)
def no_process_for_factors():
    """As in the tests of the pipeline: importing torch anew takes longer than all else here.

    With as many threads as a process has side by side with another: sums of floats depend on it in their last digits.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    config = write_project(tmp_path_factory.mktemp("project"), prompts=PROMPTS[:1])
    assert main(["train", str(config)]) == 0
    return config


@pytest.fixture(scope="module")
def built(trained) -> Path:
    assert main(["build", str(trained)]) == 0
    return trained


@pytest.fixture
def project(built, tmp_path) -> Path:
    shutil.copytree(built.parent, tmp_path / "project")
    return tmp_path / "project" / built.name


@pytest.fixture
def unbuilt(trained, tmp_path) -> Path:
    shutil.copytree(trained.parent, tmp_path / "project", ignore=shutil.ignore_patterns("build"))
    return tmp_path / "project" / trained.name


def published_hash(config: Path) -> str:
    current = read_current(config.parent / "build")
    assert current is not None
    return content_hash(config.parent / "build" / current.database)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)


def kinds(folder: Path) -> dict[str, Path]:
    """One file of each kind that a build leaves: by stage without the size, and by name."""
    found = {}
    for part in finished(folder):
        for name in part.files:
            kind = part.stage.removesuffix("-tiny-s").removesuffix("-tiny-m"), Path(name).suffix or name
            label = f"{kind[0]}/{name if part.stage != 'text' else '*' + kind[1]}"
            found[label] = part.folder / name
    return found


def of(folder: Path, path: Path) -> Finished:
    return next(part for part in finished(folder) if part.folder in path.parents)


def test_one_flipped_bit_in_every_kind_of_file_is_named_and_repair_drops_that_part_alone(project, capsys):
    folder = project.parent / "build"
    everything = kinds(folder)
    assert len(everything) > 15
    assert {Path(label).suffix for label in everything} >= {".parquet", ".safetensors", ".json", ".npz", ".toc"}
    journal = (folder / "journal.jsonl").read_bytes()
    for label, path in everything.items():
        damaged, before = of(folder, path), finished(folder)
        backup = shutil.copytree(damaged.folder, project.parent / "backup", dirs_exist_ok=True)
        flip(path)
        assert main(["check", str(folder), "--repair"]) == 0
        named, *done = capsys.readouterr().out.splitlines()
        assert named.startswith(f"{path.relative_to(folder).as_posix()}: changed"), label
        assert len(done) == 2  # what was dropped, and what to do
        assert finished(folder) == [part for part in before if part != damaged], label
        shutil.move(backup, damaged.folder)
        (folder / "journal.jsonl").write_bytes(journal)
    assert check(folder) == []


@pytest.mark.parametrize("label", ["factors/lambda_matrix.safetensors", "text/*.toc", "answers/answers.json"])
def test_what_was_dropped_is_computed_again_alone_to_the_same_numbers(project, label):
    folder, before = project.parent / "build", published_hash(project)
    path = kinds(folder)[label]
    flip(path)
    damaged = of(folder, path)
    assert main(["check", str(folder), "--repair"]) == 0
    kept = {part.folder: part.folder.stat().st_mtime_ns for part in finished(folder)}
    assert main(["build", str(project)]) == 0
    again = {part.folder: part.folder.stat().st_mtime_ns for part in finished(folder)}
    assert {each for each, made in again.items() if kept.get(each) != made} == {damaged.folder}
    assert check(folder) == []
    assert published_hash(project) == before


def runs(config: Path) -> set[str]:
    snapshot = Database(config.parent / "build").current()
    return {row["run_id"] for row in snapshot.rows("SELECT run_id FROM influence UNION SELECT run_id FROM run")}


def other_weights(config: Path) -> None:
    for size in ("tiny-s", "tiny-m"):
        path = config.parent / "models" / size / "model.safetensors"
        weights = load_file(path)
        weights["model.norm.weight"] *= 1.01
        save_file(weights, path, metadata={"format": "pt"})


def other_documents(config: Path) -> None:
    """As many, of the same length, under the same titles: one letter differs."""
    texts = [text.replace("Paris", "Parix") for text in TEXTS]
    write_lines(config.parent / "corpus.jsonl", [{"text": text, "source": "made up"} for text in texts])


def other_settings(config: Path) -> None:
    config.write_text(config.read_text().replace("documents = 24", "documents = 23"))


@pytest.mark.parametrize(
    "change",
    [
        other_weights,
        pytest.param(other_documents, marks=pytest.mark.slow),
        pytest.param(other_settings, marks=pytest.mark.slow),
    ],
)
def test_under_the_same_names_no_old_score_is_ever_shown(project, change):
    before, old_hash = runs(project), published_hash(project)
    change(project)
    assert main(["ask", str(project), "The capital of Cuba is"]) == 2  # and nothing old is used for a new prompt
    assert main(["build", str(project)]) == 0
    assert len(runs(project)) == len(before) == 2
    assert not runs(project) & before
    assert published_hash(project) != old_hash
    assert check(project.parent / "build") == []


COMMAND = [sys.executable, "-m", "indexer", "build"]


def build_in_process(config: Path, fault: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"WHENCE_FAULT": fault, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.run(  # noqa: S603
        [*COMMAND, str(config)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["partition.computed:4", "journal.written:9", "publish.filled:1", "current.synced:2"])
def test_a_killed_build_goes_on_to_the_same_database(unbuilt, built, fault):
    assert build_in_process(unbuilt, f"{fault}:kill").returncode == -signal.SIGKILL
    left = len(finished(unbuilt.parent / "build"))
    assert main(["build", str(unbuilt)]) == 0
    assert left > 0
    assert published_hash(unbuilt) == published_hash(built)
    assert check(unbuilt.parent / "build") == []


@pytest.mark.slow
@pytest.mark.parametrize(("action", "codes"), [("kill", {75}), ("term", {75}), ("full", {75})])
def test_side_by_side_a_size_that_dies_ends_the_build_which_goes_on(unbuilt, built, action, codes):
    """A part with the number after those of the parent is one of a size."""
    parents = [each for each in finished(built.parent / "build") if not each.stage.endswith(("tiny-s", "tiny-m"))]
    unbuilt.write_text(unbuilt.read_text().replace("processes = 1", "processes = 2"))
    done = build_in_process(unbuilt, f"partition.computed:{len(parents) + 1}:{action}")
    assert done.returncode in codes, done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("whence: ")
    assert "Traceback" not in done.stderr
    assert main(["build", str(unbuilt)]) == 0
    assert published_hash(unbuilt) == published_hash(built)
    assert not list(unbuilt.parent.rglob("build/**/*.partial"))


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_every_process_and_is_one_line(unbuilt, built):
    """A terminal sends it to the whole group: parent, sizes side by side, and the processes of their factors."""
    unbuilt.write_text(unbuilt.read_text().replace("processes = 1", "processes = 2"))
    folder = unbuilt.parent / "build"
    with subprocess.Popen(  # noqa: S603
        [*COMMAND, str(unbuilt)], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as done:
        while not list(folder.glob("parts/factors-*/*")):  # a size has begun
            assert done.poll() is None
            time.sleep(0.05)
        os.killpg(done.pid, signal.SIGINT)
        _, said = done.communicate(timeout=120)
    assert done.returncode == 75, said
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("whence: stopped by SIGINT")
    assert main(["build", str(unbuilt)]) == 0
    assert published_hash(unbuilt) == published_hash(built)
