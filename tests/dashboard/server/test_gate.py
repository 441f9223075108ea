"""Foreign names, foreign pages and strangers are refused before Streamlit sees them."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit import net_util

from dashboard.server.gate import Gate, Receive, Scope, Send, refusal
from dashboard.server.serving import LOOPBACK
from dashboard.server.sign_in import SignIn

PROXY = SignIn(("ada@example.org", "@lab.example"), "X-Forwarded-Email")
HOSTS = st.sampled_from([b"localhost", b"LocalHost:8501", b"127.0.0.1:80", b"[::1]:8501"])
PEOPLE = st.sampled_from([b"ada@example.org", b" Ada@Example.org", b"bob@lab.example"])
NAMES = st.sampled_from([b"host", b"Host", b"origin", b"Origin", b"x-forwarded-email"])
VALUES = HOSTS | PEOPLE | st.sampled_from([b"null", b"http://localhost", b"@lab.example"]) | st.binary(max_size=30)


@st.composite
def requests(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    """Headers of a page of ours and of somebody on the list; at times one is changed, or another comes besides."""
    host = draw(HOSTS)
    headers = [(b"host", host), (b"x-forwarded-email", draw(PEOPLE)), (b"origin", b"https://" + host)]
    if draw(st.booleans()):
        at = draw(st.integers(0, 2))
        name, value = headers[at]
        headers[at] = name, draw(st.sampled_from([value + b".evil", b"evil" + value, b"evil@" + value]) | VALUES)
    return headers + draw(st.lists(st.tuples(NAMES, VALUES), max_size=1))


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[TestClient]:
    """Streamlit runs once in a process, so something that accepts whatever comes stands in its place."""

    async def accepts(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept", "subprotocol": "streamlit"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    gate = Gate(accepts, (*LOOPBACK, "whence.example"), PROXY)
    yield TestClient(gate, base_url="http://whence.example")


@pytest.fixture
def no_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit asks the internet for this machine's address when it judges a foreign origin by itself."""

    def asked() -> str:
        raise AssertionError("the internet was asked")

    monkeypatch.setattr(net_util, "get_external_ip", asked)
    monkeypatch.setattr(net_util, "get_internal_ip", asked)


def connects(client: TestClient, headers: dict[str, str]) -> bool:
    """Whether a web socket is accepted."""
    address = str(client.base_url).replace("http", "ws", 1).rstrip("/") + "/_stcore/stream"
    try:
        with client.websocket_connect(address, headers=headers, subprotocols=["streamlit"]):
            return True
    except WebSocketDisconnect as refused:
        assert refused.code == 1008
        return False


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({}, True),
        ({"origin": "http://localhost:8501"}, True),
        ({"host": "127.0.0.1:8501", "origin": "http://127.0.0.1:8501"}, True),
        ({"host": "[::1]:8501", "origin": "http://[::1]:8501"}, True),
        ({"origin": "http://evil.invalid"}, False),
        ({"origin": "http://localhost.evil.invalid:8501"}, False),
        ({"origin": "http://localhost:9999"}, False),  # a page of another program on this machine
        ({"origin": "http://localhost"}, False),
        ({"origin": "null"}, False),
        ({"host": "evil.invalid"}, False),  # a name that was made to point here
        ({"host": "evil.invalid", "origin": "http://evil.invalid"}, False),
        ({"host": "localhost:8501@evil.invalid"}, False),
        ({"host": "localhost.evil.invalid"}, False),
        ({"host": "evil[::1]:8501"}, False),
        ({"host": "[::1]evil:8501"}, False),
        ({"host": ""}, False),
        ({"host": "localhost:99999"}, False),
    ],
)
def test_a_web_socket_is_for_our_own_pages(
    client: TestClient, no_outside: None, headers: dict[str, str], accepted: bool
) -> None:
    assert connects(client, headers) == accepted


def test_a_foreign_name_gets_no_page_either(client: TestClient) -> None:
    answer = client.get("/", headers={"host": "evil.invalid"})
    assert (answer.status_code, "--allow-host" in answer.text) == (403, True)
    assert client.get("/", headers={"host": "localhost:1234"}).status_code == 200


def test_an_upload_without_its_token_is_refused(client: TestClient) -> None:
    place, file = "/_stcore/upload_file/session/file", {"file": b"x"}
    assert client.put(place, files=file).status_code == 403
    assert client.put(place, files=file, headers={"X-Xsrftoken": "2|aaaaaaaa|bbbb|1"}).status_code == 403
    assert client.delete(place).status_code == 403
    foreign = client.put(place, files=file, headers={"origin": "http://evil.invalid"})
    assert (foreign.status_code, "another server" in foreign.text) == (403, True)


def test_an_upload_with_its_token_gets_as_far_as_its_session(client: TestClient) -> None:
    """So the refusals above are for the token."""
    client.get("/_stcore/health")
    token = client.cookies["_streamlit_xsrf"]
    answer = client.put("/_stcore/upload_file/s/f", files={"file": b"x"}, headers={"X-Xsrftoken": token})
    assert (answer.status_code, "session" in answer.text) == (400, True)
    client.cookies.clear()


@pytest.mark.parametrize(
    "path", ["/app/static/x", "/static/../app.py", "/%2e%2e/app.py", "/_stcore/agent/", "/..//etc"]
)
def test_no_file_of_ours_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert "import" not in answer.text.split("<", 1)[0]
    assert answer.status_code in (400, 403, 404) or answer.headers["content-type"].startswith("text/html")


def test_behind_a_proxy_its_header_decides(behind_proxy: TestClient) -> None:
    ada = {"X-Forwarded-Email": "Ada@Example.org"}
    assert behind_proxy.get("/", headers=ada).status_code == 200
    assert behind_proxy.get("/", headers={"X-Forwarded-Email": "bob@lab.example"}).status_code == 200
    for stranger in ({}, {"X-Forwarded-Email": "eve@evil.invalid"}, {"X-Forwarded-Email": ""}):
        for path in ("/", "/_stcore/health", "/media/x"):
            assert behind_proxy.get(path, headers=stranger).status_code == 403
        assert not connects(behind_proxy, stranger)
    assert connects(behind_proxy, ada | {"origin": "https://whence.example"})
    assert not connects(behind_proxy, ada | {"origin": "https://evil.invalid"})


def test_a_header_that_comes_twice_names_nobody() -> None:
    twice = [(b"host", b"localhost"), (b"x-forwarded-email", b"eve@evil"), (b"x-forwarded-email", b"ada@example.org")]
    assert "not signed in" in refusal(twice, LOOPBACK, False, PROXY)
    assert "name" in refusal([(b"host", b"localhost"), (b"host", b"evil.invalid")], LOOPBACK, False)


def test_whatever_the_headers_say_only_the_right_ones_pass() -> None:
    passed = []

    @settings(max_examples=500)
    @given(requests(), st.booleans())
    def judged(headers: list[tuple[bytes, bytes]], changes: bool) -> None:
        if refusal(headers, LOOPBACK, changes, PROXY):
            return
        hosts, origins, people = (
            [value.lower() for name, value in headers if name.lower() == wanted]
            for wanted in (b"host", b"origin", b"x-forwarded-email")
        )
        assert len(hosts) == len(people) == 1
        assert people[0].strip() == b"ada@example.org" or re.fullmatch(rb".+@lab\.example", people[0].strip())
        assert re.sub(rb"\.?(:\d*)?$", b"", hosts[0]) in (b"localhost", b"127.0.0.1", b"[::1]")
        assert not changes or all(origin.partition(b"//")[2] == hosts[0] for origin in origins)
        passed.append((changes, len(origins)))

    judged()
    assert {(False, 1), (True, 1)} <= set(passed)
    assert len(passed) > 25  # what is refused says nothing
