"""EDGE: serves the dashboard from this process with settings that keep it to itself."""

import importlib
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from dashboard.drawing.theme import streamlit_options
from dashboard.server.gate import Application, Gate
from dashboard.server.safe_answers import SafeAnswers
from dashboard.server.sign_in import SignIn

LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
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
    """The web application: Streamlit's behind our gate, our page in the place of its own, safe headers."""
    import streamlit as st
    from starlette.middleware import Middleware

    app: Application = st.App(
        Path(__file__).parents[1] / "app.py",
        middleware=[
            Middleware(SafeAnswers, index=Path(st.__file__).parent / "static" / "index.html"),
            Middleware(Gate, hosts=hosts, sign_in=sign_in),
        ],
        on_script_error=_on_error,
    )
    return app


def _on_error(error: Exception) -> bool:
    """A fault of ours: the log gets the traceback, the page one line."""
    from dashboard.drawing import render

    logging.getLogger("whence").error("a screen failed", exc_info=error)
    render.problem("This screen failed. The log of the server says why; the other screens still work.")
    return True
