"""What a screen shows, for other programs: one table, and the address that leads back to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Sheet:
    """`table` is made when a file is asked for, not when the page is drawn; `page` replaces the plain one of HTML:
    from the link back, '' where there is none, to the file.

    server: what stands before the path of a link, '' where it is not known; path: of the screen; database: its name.
    """

    name: str  # of the file, without its ending
    title: str
    table: Callable[[], pd.DataFrame]
    address: Mapping[str, str]
    about: Mapping[str, Any] = field(default_factory=dict)
    page: Callable[[str], bytes] | None = None
    server: str = ""
    path: str = ""
    database: str = ""

    @property
    def link(self) -> str:
        """Back to the view."""
        query = urlencode(self.address)
        return f"{self.server}{self.path}{f'?{query}' if query else ''}"
