"""What all tests share: property tests have no deadline, since a busy machine is no failure."""

import sys

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("whence", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("whence")


@pytest.fixture(autouse=True)
def the_main_module_stays():
    """Streamlit's AppTest puts its script in place of `__main__`, from which a spawned process would start."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
