"""What several folders of these tests ask for."""

from pathlib import Path

import pytest

from tests.indexer.built_sets import built_in


@pytest.fixture(scope="session")
def sets_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a small build with two target sets."""
    return built_in(tmp_path_factory.mktemp("sets"))
