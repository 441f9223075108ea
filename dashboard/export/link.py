"""Links from a file back to the page that its numbers come from."""

from urllib.parse import urlencode

from dashboard.address.screen import paths, screens
from dashboard.address.selection import Selection, address


def link_to(screen: str, selection: Selection) -> str:
    """The path and the query of a view; the server stands before it."""
    path = dict(zip(screens(), paths(), strict=True))[screen]
    query = urlencode(address(selection))
    return f"{path}?{query}" if query else path


def server_of(url: str | None) -> str:
    """What stands before the path of a screen in the address of a page; '' where that is not known."""
    known = (url or "").partition("?")[0].rstrip("/")
    for path in paths():
        if path != "/" and known.endswith(path):
            return known.removesuffix(path)
    return known.removesuffix(f"/{next(iter(screens()))}")
