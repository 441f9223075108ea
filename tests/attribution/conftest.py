"""What several tests of the mathematics ask for."""

import pytest
import torch

from tests.attribution import tiny


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws does not depend on the tests before it."""
    torch.manual_seed(0)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models whose attention is made of plain products: for truth that is differentiated forwards, or that is
    compared more closely than two kernels agree."""
    monkeypatch.setattr(tiny, "fuse_attention", lambda model: None)
