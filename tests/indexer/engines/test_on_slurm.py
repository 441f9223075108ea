"""Jobs through submitit: its own executor runs them as processes of this machine."""

import os
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from indexer.__main__ import main
from indexer.config.run import Run
from indexer.engines import on_slurm
from indexer.engines.order import Lost, Order
from indexer.journal.stages import drop, finished
from indexer.pipeline import build
from tests.indexer.engines.nodes import InProcess, published, work

ORDER = Order({}, "nowhere", b"", "stage", {}, (), 1)
pytestmark = [
    pytest.mark.skipif(find_spec("submitit") is None, reason="make test SLOW=1 installs it"),
    pytest.mark.filterwarnings("ignore"),  # submitit leaves the processes of its jobs to the end
]


def says(order: Order) -> Exception | None:
    return Lost(order.stage)


def dies(order: Order) -> Exception | None:
    os._exit(3)


def ended(task: on_slurm.SlurmTask) -> Exception | None:
    end = time.monotonic() + 600
    while not task.done():
        assert time.monotonic() < end
        time.sleep(0.1)
    return task.failure()


@pytest.mark.slow
def test_what_a_job_says_comes_back_and_a_job_that_dies_is_lost(tmp_path):
    run = Run("slurm", "local")
    told = on_slurm.OnSlurm(run, says, tmp_path).submit(ORDER)
    died = on_slurm.OnSlurm(run, dies, tmp_path).submit(ORDER)
    assert str(ended(told)) == "stage"
    failure = ended(died)
    assert isinstance(failure, Lost)
    assert f"job {died._job.job_id}: " in str(failure)


@pytest.mark.slow
def test_a_part_is_computed_by_a_job(alone, unbuilt, away, monkeypatch):
    """All the others are there; nothing of the build is in the job's process but what it finds in the storage."""
    assert away(unbuilt, InProcess()) == 0
    folder = unbuilt.parent / "build"
    lost = [part for part in finished(folder) if part.stage == "corpus-m"][1:2]
    drop(folder, lost)
    monkeypatch.undo()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setattr(build, "work", work)
    text = unbuilt.read_text().partition("[run]")[0]
    unbuilt.write_text(f'{text}[run]\nengine = "slurm"\naddress = "local"\n')
    assert main(["build", str(unbuilt)]) == 0
    assert published(folder) == alone[1]
    [made] = [part for part in finished(folder) if part.part == lost[0].part and part.stage == "corpus-m"]
    assert made.folder != lost[0].folder
    assert len(list((folder / "slurm").glob("*_result.pkl"))) == 1


def test_a_machine_without_sbatch_is_one_line(unbuilt, monkeypatch, capsys):
    monkeypatch.setattr(on_slurm.shutil, "which", lambda name: None)
    unbuilt.write_text(f'{unbuilt.read_text()}[run]\nengine = "slurm"\n')
    assert main(["build", str(unbuilt)]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("whence:")]
    assert len(said) == 1
    assert "expected the command sbatch for [run] engine = 'slurm', found none" in said[0]
