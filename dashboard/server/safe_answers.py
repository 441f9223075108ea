"""EDGE: no answer leaves without its headers, and no page without the policy, whatever path was asked for.

Streamlit answers every path that it does not know with its own page, so no list of our screens says where that page
appears. It is known by its mark (the ETag of its file) and ours goes out in its place.
"""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from dashboard.server.gate import Application, Receive, Scope, Send
from dashboard.server.web_page import HEADERS, security_policy, whence_page

_Header = tuple[bytes, bytes]


class SafeAnswers:
    """Puts HEADERS on every HTTP answer and the content security policy on every HTML one; swaps the page.

    index: the file of Streamlit's page. ValueError when it has no head.
    """

    def __init__(self, app: Application, index: Path) -> None:
        page = whence_page(index.read_text(encoding="utf-8"))
        self.app = app
        self.page = page.encode()
        self.mark = FileResponse(index, stat_result=index.stat()).headers["etag"].encode()
        self.headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        self.policy = (b"content-security-policy", security_policy(page).encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        swapped = False

        async def safely(message: MutableMapping[str, Any]) -> None:
            nonlocal swapped
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                swapped = (b"etag", self.mark) in headers  # also where only a part of it was asked for, or a newer one
                if swapped:
                    message["status"], headers = 200, self._of_page()
                message["headers"] = headers + self.headers + ([self.policy] if _is_html(headers) else [])
            elif swapped:
                if message.get("more_body", False):
                    return
                body = b"" if scope["method"] == "HEAD" else self.page
                message = {"type": "http.response.body", "body": body}
            await send(message)

        await self.app(scope, receive, safely)

    def _of_page(self) -> list[_Header]:
        return [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(self.page)).encode()),
            (b"cache-control", b"no-cache"),
        ]


def _is_html(headers: list[_Header]) -> bool:
    return any(name == b"content-type" and value.lower().startswith(b"text/html") for name, value in headers)
