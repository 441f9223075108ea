"""One visitor: a page in a fresh context, and a record of what it asked for and complained about."""

import time
from collections.abc import Callable
from typing import Any

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 180_000  # milliseconds; a busy machine is slow, not wrong


class Visit:
    """`page` is Playwright's; `strangers` are requests to elsewhere, `complaints` errors of the console."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.address = address
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | context))
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._asked)

    def open(self, path: str = "/", until: str = "[role=option]") -> None:
        self.page.goto(self.address + path)
        self.page.wait_for_selector(until)
        self.settle()

    def go(self, path: str) -> None:
        """To another address without loading the page anew, as the browser goes back; wait for what it will show."""
        self.page.evaluate(
            "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path
        )

    def settle(self) -> None:
        """Until Streamlit has nothing under way."""
        quiet = (
            "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
            " && !document.querySelector('[data-testid=stSkeleton]') && !document.querySelector('[data-stale=true]')"
        )
        self.until(lambda: bool(self.page.evaluate(quiet)))  # wait_for_function needs eval, which our pages refuse

    def until(self, true: Callable[[], bool]) -> None:
        """Until the page shows what the server has still to answer; `settle` alone may look before it was asked."""
        end = time.monotonic() + PATIENCE / 1000
        while not true():
            assert time.monotonic() < end, "the page never showed it"
            self.page.wait_for_timeout(30)

    def no_sideways_scroll(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def close(self) -> None:
        self.context.close()
        assert not self.strangers, self.strangers
        assert not self.complaints, self.complaints

    def _asked(self, dialog: Any) -> None:
        self.complaints.append(f"dialog {dialog.message}")
        dialog.dismiss()  # the page stands still until somebody answers

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.address, self.address.replace("http", "ws"), "blob:", "data:")):
            self.strangers.append(request.url)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")
