"""A Ray cluster of three nodes, of which one is killed in the middle, four processes, and one: the same rows."""

import os
import shutil
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from indexer.__main__ import main
from indexer.config import installed
from indexer.database.check import check
from indexer.pipeline import build
from tests.indexer.built_model import CONFIG
from tests.indexer.engines.nodes import HANGS, published, sizes, work

ROOT = Path(__file__).parents[3]
OBJECTS = 80 << 20
with_ray = pytest.mark.skipif(find_spec("ray") is None, reason="make test SLOW=1 installs it")


@pytest.fixture
def cluster(tmp_path):
    """The head and two nodes, a core each, with folders of their own for temporary files; `slow` stays in its task."""
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": OBJECTS}
    found = Cluster(initialize_head=True, head_node_args=head | {"env_vars": _own(tmp_path / "head")})
    try:
        found.add_node(num_cpus=1, object_store_memory=OBJECTS, env_vars=_own(tmp_path / "second"))
        hangs = {HANGS: str(tmp_path / "hangs")}
        found.slow = found.add_node(num_cpus=1, object_store_memory=OBJECTS, env_vars=_own(tmp_path / "slow") | hangs)
        yield found
    finally:
        ray.shutdown()
        found.shutdown()


def _own(folder: Path) -> dict[str, str]:
    folder.mkdir()
    return {"TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@with_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray leaves sockets and threads to the end of the process
def test_one_process_four_and_three_nodes_of_which_one_is_killed(tmp_path, monkeypatch, request, capsys):
    config = sizes(tmp_path / "project", ["a", "b", "c", "d"])
    for other in ("four", "nodes"):
        shutil.copytree(config.parent, tmp_path / other)
    assert main(["build", str(config)]) == 0
    expected = published(config.parent / "build")

    four = tmp_path / "four" / config.name
    four.write_text(four.read_text().replace("processes = 1", "processes = 4"))
    command = "import sys, tests.indexer.engines.small_parts, indexer.__main__; sys.exit(indexer.__main__.main())"
    made = subprocess.run([sys.executable, "-c", command, "build", str(four)], cwd=ROOT, env=_one_thread(), check=False)
    assert made.returncode == 0
    assert published(four.parent / "build") == expected

    cluster = request.getfixturevalue("cluster")
    nodes = tmp_path / "nodes" / config.name
    nodes.write_text(f'{nodes.read_text()}[run]\nengine = "ray"\naddress = "{cluster.address}"\n')
    monkeypatch.setattr(build, "work", work)
    killer = threading.Thread(target=_kill_once_it_hangs, args=(cluster, tmp_path / "hangs"), daemon=True)
    killer.start()
    capsys.readouterr()
    assert main(["build", str(nodes)]) == 0
    killer.join()
    assert (tmp_path / "hangs").exists()
    assert "ray: 3 tasks at once" in capsys.readouterr().err
    assert published(nodes.parent / "build") == expected
    assert check(nodes.parent / "build") == []


def _one_thread() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def _kill_once_it_hangs(cluster, hangs: Path) -> None:
    end = time.monotonic() + 300
    while not hangs.exists():
        if time.monotonic() > end:
            return
        time.sleep(0.1)
    cluster.remove_node(cluster.slow, allow_graceful=False)


@with_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_one_line(tmp_path, capsys):
    config = sizes(tmp_path, ["a"])
    config.write_text(f'{config.read_text()}[run]\nengine = "ray"\naddress = "127.0.0.1:1"\n')
    assert main(["build", str(config)]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("whence:")]
    assert len(said) == 1
    assert "expected a Ray cluster at 127.0.0.1:1, found: " in said[0]


@pytest.mark.parametrize(
    ("run", "package"),
    [
        ('engine = "ray"', "ray"),
        ('engine = "slurm"\naddress = "local"', "submitit"),
        ('engine = "slurm"\naddress = "local"\nstorage = "s3://bucket/folder"', "s3fs"),
    ],
)
def test_a_missing_package_is_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys, run, package):
    found = installed.version

    def version(name):
        if name == package:
            raise installed.PackageNotFoundError(name)
        return "1.0" if name in ("ray", "submitit", "s3fs") else found(name)

    monkeypatch.setattr(installed, "version", version)
    config = sizes(tmp_path, ["a"])
    config.write_text(f"{config.read_text()}[run]\n{run}\n")
    assert main(["build", str(config)]) == 2
    said = capsys.readouterr().err
    assert said == f"whence: expected the package {package}, found it missing; run `pip install '{package}'`\n"
    assert not (tmp_path / "build").exists()


def test_without_an_engine_none_of_them_is_imported():
    """By the code of engines and builds; what other libraries import of them is theirs."""
    code = "import sys, indexer.pipeline.build; print(*{'ray', 'submitit', 's3fs'} & {*sys.modules})"
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=_one_thread(), capture_output=True, text=True, check=True
    )
    assert made.stdout.split() == []


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ('engine = "spark"', "expected local, ray, slurm for m.toml, run, engine, found 'spark'"),
        ('engine = "ray"\nstorage = "gs://a/b"', "expected 's3://bucket/folder' for m.toml, run, storage"),
        ('engine = "ray"\nstorage = "s3://"', "expected 's3://bucket/folder' for m.toml, run, storage"),
        ('engine = "ray"\nstorage = "s3://my bucket/x"', "expected 's3://bucket/folder' for m.toml, run, storage"),
        ('storage = "s3://a/b"', "expected engine 'ray' or 'slurm' beside it in m.toml, run, found a storage alone"),
        ('address = "10.0.0.5:6379"', "expected engine 'ray' or 'slurm' beside it in m.toml, run, found an address"),
        ('engine = "slurm"\naddress = "head"', "expected no address, or 'local', for Slurm in m.toml, run"),
        ('engine = "ray"\ncpus = 0', "expected at least 1 for m.toml, run, cpus, found 0"),
    ],
)
def test_a_run_that_nothing_can_be_made_of(tmp_path, capsys, run, said):
    (tmp_path / "m.toml").write_text(CONFIG + f"[run]\n{run}\n")
    assert main(["build", str(tmp_path / "m.toml")]) == 2
    assert said in capsys.readouterr().err
