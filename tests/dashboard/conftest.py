"""A small published database, the app on it, and the web application around it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from dashboard.database.connection import FOLDER_VARIABLE
from dashboard.server.serving import application
from indexer.database.reader import Database, Snapshot
from tests.synthetic_database import build_synthetic

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("build")
    build_synthetic(path)
    return path


@pytest.fixture(scope="session")
def snapshot(folder: Path) -> Snapshot:
    return Database(folder).current()


@pytest.fixture
def open_app(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """open_app(query, screen=None, where=folder): the app at that address, run once."""

    def opened(query: dict[str, str] | None = None, screen: str = "", where: Path = folder) -> AppTest:
        monkeypatch.setenv(FOLDER_VARIABLE, str(where))
        st.cache_resource.clear()
        app = AppTest.from_file(str(APP), default_timeout=60)
        for name, value in (query or {}).items():
            app.query_params[name] = value
        if screen:
            app.session_state["screen that a click led to"] = screen
        return app.run()

    return opened


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """Asks the whole web application; one for all tests, since Streamlit starts once in a process."""
    with TestClient(application(), base_url="http://localhost:8501") as made:
        yield made
