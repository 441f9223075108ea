"""EDGE: serves the dashboard from this process with settings that keep it to itself."""

import importlib
import logging
import threading
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

from dashboard.drawing.theme import streamlit_options
from dashboard.server.gate import Application, Gate, Receive, Scope, Send
from dashboard.server.sign_in import SignIn
from dashboard.server.web_page import HEADERS, security_policy, whence_page

LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
SCREENS = ("/", "/runs", "/compare", "/context", "/corpus", "/about")
_MESSAGE_MB = 64


def server_options(
    port: int, address: str = "127.0.0.1", hosts: tuple[str, ...] = (), secrets: Path | None = None
) -> dict[str, object]:
    """Every Streamlit option that we rely on; nothing is left to a configuration file of the user.

    secrets: the file with the [auth] table for st.login.
    """
    return {
        "server.address": address,
        "server.port": port,
        "server.headless": True,
        "server.allowedHosts": [*LOOPBACK, *hosts],
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.maxUploadSize": 1,
        "server.trustedUserHeaders": {},
        "server.corsAllowedOrigins": [],
        "secrets.files": [str(secrets)] if secrets else [],
        "server.maxMessageSize": _MESSAGE_MB,
        "server.showEmailPrompt": False,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "client.allowedOrigins": [],
        "global.developmentMode": False,
        "runner.magicEnabled": False,
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        **streamlit_options(),
    }


def serve(options: dict[str, object], sign_in: SignIn | None = None) -> None:
    """Serve until interrupted. Imports Streamlit late: `--help` and a user's mistake answer at once."""
    import uvicorn
    from streamlit.web import bootstrap

    bootstrap.load_config_options({name.replace(".", "_"): value for name, value in options.items()})
    threading.Thread(target=_import_screens, daemon=True).start()
    uvicorn.run(
        application(options["server.allowedHosts"], sign_in),  # type: ignore[arg-type]
        host=str(options["server.address"]),
        port=int(str(options["server.port"])),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_max_size=_MESSAGE_MB << 20,
        timeout_graceful_shutdown=2,
    )


def _import_screens() -> None:
    """What the first visitor would otherwise wait for, while the browser fetches the page; others when first opened: a
    thread that still imports when the server ends is told as a fault that is none."""
    importlib.import_module("dashboard.screens.explain.screen")


def application(hosts: Sequence[str] = LOOPBACK, sign_in: SignIn | None = None) -> Application:
    """The web application: Streamlit's behind our gate, our page at the address of every screen, safe headers."""
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    index = Path(st.__file__).parent / "static" / "index.html"
    page = whence_page(index.read_text(encoding="utf-8"))
    headers = {"Content-Security-Policy": security_policy(page), "Cache-Control": "no-cache"}

    def shown(request: object) -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    app: Application = st.App(
        Path(__file__).parents[1] / "app.py",
        routes=[Route(path, shown) for path in SCREENS],
        middleware=[Middleware(SafeHeaders), Middleware(Gate, hosts=hosts, sign_in=sign_in)],
        on_script_error=_on_error,
    )
    return app


class SafeHeaders:
    """Puts HEADERS on every HTTP answer."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def _on_error(error: Exception) -> bool:
    """A fault of ours: the log gets the traceback, the page one line."""
    from dashboard.drawing import render

    logging.getLogger("whence").error("a screen failed", exc_info=error)
    render.problem("This screen failed. The log of the server says why; the other screens still work.")
    return True
