"""`whence serve`: what it refuses, what it never imports, how it serves."""

import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.__main__ import main
from dashboard.server.serving import server_options
from indexer.database import publish, statements
from tests.synthetic_database import build_synthetic

ROOT = Path(__file__).parents[2]


def test_a_missing_folder_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "whence build" in said


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file")]) == 2
    assert "found the file" in capsys.readouterr().err


def test_a_database_of_another_version_is_one_line_before_anything_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for where, name, value, said in [
        (statements, "SCHEMA_VERSION", 99, "found version 99"),
        (publish, "STORAGE_VERSION", "latest", "storage version 999"),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(where, name, value)
            build_synthetic(tmp_path / name)
        assert main([str(tmp_path / name)]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and said in told and "whence build" in told


def test_the_start_path_reaches_no_torch() -> None:
    """Everything that the server's process imports: the command, the app, every screen and panel."""
    program = """
import importlib, pkgutil, sys
import dashboard.__main__
import dashboard
for module in pkgutil.walk_packages(dashboard.__path__, "dashboard."):
    if module.name not in ("dashboard.app", "dashboard.__main__"):
        importlib.import_module(module.name)
from streamlit.web import bootstrap
heavy = sorted(name for name in ("torch", "transformers", "kronfluence", "captum") if name in sys.modules)
sys.exit(",".join(heavy) or 0)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_safe_settings() -> None:
    options = server_options(8501)
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] is False
    assert options["server.enableXsrfProtection"] is True
    assert options["server.enableStaticServing"] is False
    assert options["client.showErrorDetails"] == "none"
    assert "*" not in str(options["server.allowedHosts"])


def test_every_option_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    known = set(config.get_config_options())
    assert set(server_options(8501)) <= known
