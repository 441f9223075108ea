"""EDGE: whether this process may have the addresses that its libraries take: without them they end it themselves."""

import resource

from attribution.errors import BadInput

LEAST = 2_000_000_000  # bytes of addresses; most of them are files and stacks that are never touched


def check_addresses() -> None:
    """Raises BadInput where `ulimit -v` leaves fewer."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY and soft < LEAST:
        raise BadInput(
            f"expected at least {LEAST / 1e9:.1f} GB of addresses for torch and a model, found {soft / 1e9:.1f} GB; "
            f"raise the limit (ulimit -v {LEAST // 1000})"
        )
