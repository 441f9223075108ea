"""What several tests of the mathematics ask for."""

import pytest

from tests.attribution import tiny


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models whose attention is made of plain products: for truth that is differentiated forwards, or that is
    compared more closely than two kernels agree."""
    monkeypatch.setattr(tiny, "fuse_attention", lambda model: None)
