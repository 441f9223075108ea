"""EDGE: the kernel's locks on files, which are free again when their process dies; not every system has them."""

from types import ModuleType

from attribution.errors import BadInput


def file_locks() -> ModuleType:
    """The module `fcntl`. Raises BadInput where the system has none: nothing is written there without a lock."""
    try:
        import fcntl
    except ImportError:
        raise BadInput(
            "expected a system whose kernel locks files (Linux, macOS), found one without `fcntl`; build there, and "
            "read or serve the folder here"
        ) from None
    return fcntl
