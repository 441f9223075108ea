"""Who may speak to the server: only under a name that is ours, from a page that came from here, as someone let in.

Stands before Streamlit, whose own check covers the web socket alone, takes a page of any local port for its own, and
asks the internet for this machine's address when it sees a foreign one.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.websockets import WebSocketDisconnected

from dashboard.server.sign_in import SignIn, is_allowed

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

_BRACKETS = re.compile(r"\[[^\[\]]*\](:\d+)?|[^\[\]]*")  # around all of a name: Python reads evil[::1] as ::1
_HARMLESS = ("GET", "HEAD")  # a browser sends these from any page, and our answers cannot be read by it


class Gate:
    """Refuses with 403 what `refusal` names, web sockets before they are accepted."""

    def __init__(self, app: Application, hosts: Sequence[str], sign_in: SignIn | None = None) -> None:
        self.app, self.hosts, self.sign_in = app, tuple(hosts), sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            changes = scope["type"] == "websocket" or scope["method"] not in _HARMLESS
            why = refusal(scope["headers"], self.hosts, changes, self.sign_in)
            if why:
                await _refuse(scope, send, why)
                return
        with suppress(WebSocketDisconnected):  # a visitor who leaves while Streamlit says goodbye is no fault
            await self.app(scope, receive, send)


def refusal(headers: Headers, hosts: Sequence[str], changes: bool, sign_in: SignIn | None = None) -> str:
    """Why a request is refused, "" if it is not. `changes`: a web socket, or a method that may change something."""
    given = _all(headers, b"host")
    host = given[0] if len(given) == 1 else ""
    if _name_of(host) not in {name.strip("[]").lower() for name in hosts}:
        return "This server does not answer to that name; start it with --allow-host NAME."
    origins = _all(headers, b"origin")
    if changes and origins and any(_netloc(origin) != host.lower() for origin in origins):
        return "This request came from a page of another server."
    if sign_in is not None and sign_in.header:
        named = _all(headers, sign_in.header.lower().encode())
        if len(named) != 1 or not is_allowed(named[0], sign_in.allow):
            return "You are not signed in, or not on the list of those who may read here."
    return ""


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": 403, "headers": plain})
    await send({"type": "http.response.body", "body": why.encode() + b"\n"})


def _all(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


def _name_of(host: str) -> str:
    """The name in a Host header, without port; "" for what is none."""
    try:
        parts = urlsplit(f"//{host}")
        port = parts.port  # raises for one that is no number
    except ValueError:
        return ""
    plain = parts.netloc == host and _BRACKETS.fullmatch(host) is not None
    plain = plain and parts.username is None and (port is None or 0 < port < 65536)
    return (parts.hostname or "").rstrip(".") if plain else ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
