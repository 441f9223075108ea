"""What all tests share: property tests have no deadline, since a busy machine is no failure."""

from hypothesis import HealthCheck, settings

settings.register_profile("whence", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("whence")
