"""Parts that are computed elsewhere: the same database, whatever is lost on the way, from the storage and the code."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors.torch import load_file, save_file

from attribution.errors import BadInput, TryAgain
from indexer.database.check import check
from indexer.engines import hand_out
from indexer.engines.order import Lost, Order
from indexer.engines.shared_folder import SharedFolder
from indexer.journal.lines import listed_by
from indexer.journal.stages import drop, finished
from indexer.pipeline import on_node
from indexer.size.factors import factors_stage
from tests.indexer.engines.nodes import InProcess, published

LONG = ("factors", "answers", "prompts", "corpus", "groups", "scores")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(hand_out, "POLL", 0.0)


def stages(engine: InProcess) -> list[str]:
    return [order.stage.removesuffix("-m") for order in engine.orders]


def test_a_torn_slip_is_no_slip_and_one_that_goes_is_not_missed(tmp_path, monkeypatch):
    storage, part = SharedFolder(tmp_path), SimpleNamespace(stage="corpus-m", key="k")
    storage.leave(part, '{"whole": "line"}')
    assert storage.slips("corpus-m", {"k", "another"}) == {"k": '{"whole": "line"}'}
    [slip] = [path for path in tmp_path.rglob("*") if path.is_file()]
    slip.write_bytes(b'{"who\xff')
    assert listed_by(tmp_path, storage.slips("corpus-m", {"k"})["k"]) is None

    def gone(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_bytes", gone)
    assert storage.slips("corpus-m", {"k"}) == {}


def test_nodes_that_are_lost_and_have_nothing_but_the_storage_change_no_row(alone, unbuilt, away, tmp_path):
    """The output folder is elsewhere; while a node works, the project's own folder is not there."""
    shared, hidden = tmp_path / "shared", tmp_path / "hidden"
    unbuilt.write_text(unbuilt.read_text().replace('folder = "build"', f'folder = "{shared}"'))
    lost = iter(["answers", "corpus", "corpus"])
    losing = [next(lost)]

    class Elsewhere(InProcess):
        def submit(self, order):
            unbuilt.parent.rename(hidden)
            try:
                return super().submit(order)
            finally:
                hidden.rename(unbuilt.parent)

    def failing(order):
        if order.stage.startswith(losing[0]):
            losing[0] = next(lost, "none")
            return Lost("its node ended")
        return None

    engine = Elsewhere(failing)
    assert away(unbuilt, engine) == 0
    assert published(shared) == alone[1]
    assert check(shared) == []
    assert not [path for path in (shared / "slips").rglob("*") if path.is_file()]
    assert set(LONG) <= set(stages(engine))
    assert losing == ["none"]
    assert stages(engine).count("corpus") == 3 + 2  # three parts, two of them twice
    again = InProcess()
    assert away(unbuilt, again) == 0
    assert again.orders == []


def test_what_nodes_left_of_a_build_that_was_killed_is_taken(alone, unbuilt, away, capsys):
    """It is told to stop while parts of the corpus pass are computed: their slips are found by the next one."""

    def failing(order):
        if order.stage == "corpus-m" and 8 in order.keys:
            raise TryAgain("stopped")

    assert away(unbuilt, InProcess(failing)) == 75
    folder = unbuilt.parent / "build"
    assert len(list((folder / "slips/corpus-m").iterdir())) == 2
    engine = InProcess()
    assert away(unbuilt, engine) == 0
    assert [list(order.keys) for order in engine.orders if order.stage == "corpus-m"] == [[8]]
    assert published(folder) == alone[1]


def test_a_part_that_was_damaged_before_it_was_taken_is_made_again(alone, unbuilt, away):
    """A node leaves out what has a slip, so the slip of a damaged part goes when it is handed out."""

    def failing(order):
        if order.stage == "corpus-m" and 8 in order.keys:
            raise TryAgain("stopped")

    assert away(unbuilt, InProcess(failing)) == 75
    folder = unbuilt.parent / "build"
    damaged = next((folder / "parts/corpus-m").glob("4-*/*.safetensors"))
    damaged.write_bytes(b"other bytes")
    engine = InProcess()
    assert away(unbuilt, engine) == 0
    assert [list(order.keys) for order in engine.orders if order.stage == "corpus-m"] == [[4], [8]]
    assert published(folder) == alone[1]


def test_a_part_that_is_always_lost_ends_in_one_line(unbuilt, away, capsys):
    engine = InProcess(lambda order: Lost("the node went away") if order.stage == "answers-m" else None)
    assert away(unbuilt, engine, "retries = 2\n") == 75
    assert stages(engine).count("answers") == 3
    [said] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("whence:")]
    assert "answers-m part all from a node, found it lost 3 times (the node went away)" in said


def test_a_node_with_another_version_is_refused_and_both_are_named(unbuilt, away, capsys, monkeypatch):
    ours = on_node.VERSIONS["torch"]
    monkeypatch.setattr(on_node, "VERSIONS", on_node.VERSIONS | {"torch": "0.0.1"})
    assert away(unbuilt, InProcess()) == 2
    assert f"expected torch {ours}, as where the build was started, found 0.0.1 on" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["whence", "torch", "transformers", "kronfluence"])
def test_versions_are_compared_before_anything_of_an_order_is_opened(name):
    said = on_node.work(Order(on_node.VERSIONS | {name: "9.9"}, "/nowhere", b"no pickle", "answers-m", {}, (), 1))
    assert isinstance(said, BadInput)
    assert f"expected {name} 9.9, as where the build was started, found {on_node.VERSIONS[name]} on" in str(said)


def test_a_node_with_another_model_is_refused_and_both_are_named(alone, unbuilt, away, capsys):
    def other(order):
        [path] = (unbuilt.parent / "build/carried").glob("*/model.safetensors")
        weights = load_file(path)
        save_file({name: 2 * each for name, each in weights.items()}, path, metadata={"format": "pt"})

    assert away(unbuilt, InProcess(other)) == 2
    said = capsys.readouterr().err
    assert "expected m with the weights and settings " in said
    assert "as where the build was started, found " in said


def test_a_node_under_whose_hands_another_part_comes_out_is_refused(unbuilt, away, capsys, monkeypatch):
    engine = InProcess()
    monkeypatch.setattr(engine, "submit", lambda order: InProcess().submit(_renamed(order)))
    assert away(unbuilt, engine) == 2
    said = capsys.readouterr().err
    assert f"expected {factors_stage('m')} part all under the key {'0' * 16}, found " in said


def _renamed(order):
    object.__setattr__(order, "keys", dict.fromkeys(order.keys, "0" * 16))
    return order


def test_clocks_that_differ_by_an_hour_change_nothing(alone, unbuilt, away, monkeypatch):
    """Nodes are an hour ahead, with what they write; then the driver is an hour behind."""
    real = time.time

    def ahead(order):
        monkeypatch.setattr(time, "time", lambda: real() + 3600)

    assert away(unbuilt, InProcess(ahead)) == 0
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    folder = unbuilt.parent / "build"
    for part in finished(folder):
        os.utime(part.folder, (real() + 3600, real() + 3600))
    corpus = [part for part in finished(folder) if part.stage == "corpus-m"]
    drop(folder, corpus[1:2])
    engine = InProcess()
    assert away(unbuilt, engine) == 0
    assert stages(engine) == ["corpus"]
    assert published(folder) == alone[1]


def test_two_drivers_on_one_folder(unbuilt, away, capsys):
    from indexer.journal.lock import lock

    with lock(unbuilt.parent / "build"):
        assert away(unbuilt, InProcess()) == 3
    assert "wait for its end" in capsys.readouterr().err


mounted = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture
def disk(tmp_path):
    """A file system of its own, of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=8m tmpfs {folder} 2>/dev/null"):  # noqa: S605
        pytest.skip("may not mount here")
    yield folder
    os.system(f"umount -R {folder} 2>/dev/null || umount -l {folder}")  # noqa: S605


@mounted
@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("full", 75, "expected room "),
        ("read-only", 2, "expected a shared folder to write in at "),
        ("gone", 2, "expected the shared folder "),
    ],
)
def test_a_shared_folder_that_a_node_cannot_use_ends_in_one_line(unbuilt, away, disk, capsys, what, code, said):
    """It is so for the node alone: at the time of its order."""
    shared = disk / "build"
    unbuilt.write_text(unbuilt.read_text().replace('folder = "build"', f'folder = "{shared}"'))

    def failing(order):
        if order.stage != "answers-m":
            return
        if what == "full":
            _fill(disk / "rest")
        elif what == "gone":
            shared.rename(disk / "elsewhere")
        else:
            (shared / "parts/answers-m").mkdir()
            os.system(f"mount -t tmpfs -o ro tmpfs {shared}/parts/answers-m")  # noqa: S605
        return

    assert away(unbuilt, InProcess(failing)) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("whence:")]
    assert len(lines) == 1
    assert said in lines[0]
    assert str(shared) in lines[0]
    assert "Traceback" not in lines[0]


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            return
