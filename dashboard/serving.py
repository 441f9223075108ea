"""EDGE: starts Streamlit in this process with settings that keep the dashboard to itself (design, section 5)."""

from pathlib import Path

from dashboard.theme import streamlit_options

LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")


def server_options(port: int, address: str = "127.0.0.1", hosts: tuple[str, ...] = ()) -> dict[str, object]:
    """Every Streamlit option that we rely on; nothing is left to a configuration file of the user."""
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
        "server.maxMessageSize": 64,
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


def serve(options: dict[str, object]) -> None:
    """Run the dashboard until it is interrupted."""
    from streamlit.web import bootstrap  # imported late: `--help` and a user's mistake answer at once

    script = Path(__file__).with_name("app.py")
    flags = {name.replace(".", "_"): value for name, value in options.items()}
    bootstrap.load_config_options(flags)
    bootstrap.run(str(script), False, [], flags)
