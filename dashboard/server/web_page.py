"""The HTML that carries the app, and the headers of every answer: the browser itself refuses what is not from here.

Streamlit's own page is used, with one line more: it names the server, so that the browser need not guess it at each
address. The content security policy allows scripts from this server only (and the two inline ones by their hash),
and no request, frame, image or font from anywhere else, whatever a document contains.
"""

import base64
import hashlib
import re

_SCRIPTS = re.compile(r"<script(?![^>]*\ssrc)[^>]*>(.*?)</script>", re.DOTALL)
_SERVER = "window.__streamlit = { BACKEND_BASE_URL: window.location.origin }"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def whence_page(streamlit_page: str) -> str:
    """Streamlit's page with our title and the name of the server; ValueError when it has no head to put them in."""
    if "<head>" not in streamlit_page:
        raise ValueError("expected Streamlit's page to have a head, found none")
    page = re.sub(r"<title>.*?</title>", "<title>Whence</title>", streamlit_page)
    return page.replace("<head>", f"<head><script>{_SERVER}</script>", 1)


def security_policy(page: str) -> str:
    """The Content-Security-Policy for a page: its own inline scripts by hash, everything else from this server."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _SCRIPTS.findall(page)]
    scripts = " ".join(f"'sha256-{each}'" for each in hashes)
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' blob: {scripts}",  # blob: components of ours
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        ]
    )
