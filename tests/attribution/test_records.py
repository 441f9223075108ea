"""Records are found by their files, in their order, and one that is wrong is told."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from attribution.records import records

ROOT = Path(__file__).parents[2]
FILE = """
from tests.attribution.test_records import One
RECORD = One({name!r}, {order})
"""


@dataclass(frozen=True)
class One:
    name: str
    order: int


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An empty one of a name that no other test has imported."""
    folder = tmp_path / f"of_{request.node.name}"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_they_are_sorted_by_order_and_then_by_name(package: Path) -> None:
    for name, order in (("c", 1), ("a", 2), ("b", 1)):
        (package / f"{name}.py").write_text(FILE.format(name=name, order=order))
    assert list(records(package.name, One)) == ["b", "c", "a"]


def test_a_record_of_another_name_is_told(package: Path) -> None:
    (package / "here.py").write_text(FILE.format(name="there", order=1))
    with pytest.raises(TypeError, match=r"RECORD = One\(name='here', \.\.\.\), found 'there'"):
        records(package.name, One)


def test_all_of_them_are_read_without_torch() -> None:
    program = """
import sys
from attribution.prompt.saliency.method import methods
from dashboard.address.screen import screens
from indexer.config.estimator import estimators
found = [*methods(), *estimators(), *screens()]
assert len(found) > 20, found
sys.exit(",".join(sorted({"torch", "transformers", "captum", "streamlit"} & set(sys.modules))) or 0)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
