"""The policy goes out with every page, at whatever path; Streamlit's own page never does."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import streamlit
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import FileResponse
from starlette.testclient import TestClient

from dashboard.server.safe_answers import SafeAnswers
from dashboard.server.web_page import HEADERS, security_policy, whence_page

INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
PAGE = whence_page(INDEX.read_text(encoding="utf-8"))
POLICY = security_policy(PAGE)
SCREENS = ["/", "/runs", "/compare", "/context", "/corpus", "/about"]
UNKNOWN = ["/explain", "/foo", "/a/b", "/index.html", "/static", "/foo.html", "/_stcore", "/_stcore/foo", "/media"]
UNKNOWN += [
    "/runs/deeper",
    "/runs?x=/a",
    "/%41%20b",
    "/a;b",
    "/app",
    "/static/js/none.js",
    "/-/healthz",
    "/oauth2callbac",
]


@pytest.mark.parametrize("path", SCREENS + UNKNOWN)
def test_a_path_that_nobody_knows_gets_our_page_with_its_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers.get_list("content-security-policy") == [POLICY]
    assert all(answer.headers[name] == value for name, value in HEADERS.items())
    assert "etag" not in answer.headers


@given(path=st.text(alphabet="abz09-_.~/%2fe?&=;:@!", max_size=24))
def test_no_page_goes_out_without_its_policy(client: TestClient, path: str) -> None:
    answer = client.get(f"http://localhost:8501/{path}", follow_redirects=False)
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert (answer.text, answer.headers["content-security-policy"]) == (PAGE, POLICY)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "asked",
    [
        {"range": "bytes=0-9"},
        {"range": "bytes=0-3,7-9"},
        {"if-none-match": FileResponse(INDEX, stat_result=INDEX.stat()).headers["etag"]},  # kept from before
        {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"accept-encoding": "gzip"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/foo", "/index.html"])
def test_asking_for_a_part_or_for_a_newer_one_gives_the_whole_of_ours(
    client: TestClient, path: str, asked: dict[str, str]
) -> None:
    answer = client.get(path, headers=asked)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-security-policy"] == POLICY


def test_a_head_has_no_body_and_the_headers_of_the_page(client: TestClient) -> None:
    answer = client.head("/foo")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(PAGE.encode()))
    assert answer.headers["content-security-policy"] == POLICY


def answered(headers: Sequence[tuple[bytes, bytes]], bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What goes out when the application behind answers so."""
    sent: list[dict[str, Any]] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 206, "headers": list(headers)})
        for body in bodies:
            await send(body)

    async def keep(message: Any) -> None:
        sent.append(dict(message))

    answer = SafeAnswers(behind, INDEX)({"type": "http", "method": "GET", "path": "/"}, None, keep)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as elsewhere:  # the page tests keep an event loop in the main thread
        elsewhere.submit(asyncio.run, answer).result()
    return sent


def test_another_html_answer_keeps_its_body_and_gets_the_policy() -> None:
    """An exported sheet, which Streamlit hands out under /media."""
    bodies = [{"type": "http.response.body", "body": each, "more_body": each == b"<p>"} for each in (b"<p>", b"x")]
    start, *rest = answered([(b"content-type", b"TEXT/HTML;charset=x"), (b"etag", b'"other"')], bodies)
    assert rest == bodies
    assert start["status"] == 206
    assert (b"content-security-policy", POLICY.encode()) in start["headers"]
    plain, *_ = answered([(b"content-type", b"text/plain")], bodies)
    assert b"content-security-policy" not in dict(plain["headers"])


def test_the_page_is_swapped_however_its_file_is_sent() -> None:
    mark = FileResponse(INDEX, stat_result=INDEX.stat()).headers["etag"].encode()
    whole = [{"type": "http.response.pathsend", "path": str(INDEX)}]
    pieces = [{"type": "http.response.body", "body": b"a", "more_body": more} for more in (True, True, False)]
    for bodies in (whole, pieces):
        start, *rest = answered([(b"etag", mark)], bodies)
        assert start["status"] == 200
        assert rest == [{"type": "http.response.body", "body": PAGE.encode()}]
