"""Signing in, as docs/serving.md describes it: with st.login and a list, and behind a proxy that names people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import serve
from tests.browser.oidc_provider import CLIENT, Provider, provider
from tests.browser.reverse_proxy import proxy
from tests.browser.test_journey import SCREENS
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser

SIGN_IN = """
allow = ["ada@example.org", "@lab.example"]
[auth]
redirect_uri = "http://localhost:{{port}}/oauth2callback"
cookie_secret = "{secret}"
client_id = "{client}"
client_secret = "not checked"
server_metadata_url = "{address}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def oidc() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.fixture(scope="module")
def closed(folder: Path, oidc: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard that asks who is there."""
    file = tmp_path_factory.mktemp("sign-in") / "sign-in.toml"
    file.write_text(SIGN_IN.format(secret="x" * 32, client=CLIENT, address=oidc.address))
    for address in serve(folder, file.with_name("log"), "--sign-in", str(file)):
        yield address.replace("127.0.0.1", "localhost")


def sign_in(visit: Visit, oidc: Provider, **claims: object) -> None:
    oidc.claims = claims
    visit.page.goto(visit.address)
    visit.page.get_by_role("button", name="Sign in").click()


def leave(visit: Visit, oidc: Provider) -> None:
    """The provider is the only stranger that may have been asked, and only by a navigation of ours."""
    assert all(url.startswith(oidc.address) for url in visit.strangers)
    visit.strangers.clear()
    visit.close()


@pytest.mark.parametrize("address", ["ada@example.org", "Someone@LAB.example"])
def test_who_is_on_the_list_enters_and_stays(chromium: object, closed: str, oidc: Provider, address: str) -> None:
    visit = Visit(chromium, closed)
    sign_in(visit, oidc, email=address, email_verified=True)
    visit.page.wait_for_selector("[role=option]")
    visit.open("/about", "[data-testid=stDataFrame]")  # another page, the same person
    leave(visit, oidc)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "eve@evil.invalid"},
        {"email": "ada@example.org", "email_verified": False},
        {"email": "<script>window.hacked=1</script>@evil.invalid"},
        {},
    ],
)
def test_who_is_not_on_the_list_stays_outside(
    chromium: object, closed: str, oidc: Provider, claims: dict[str, object]
) -> None:
    visit = Visit(chromium, closed)
    sign_in(visit, oidc, **claims)
    visit.page.wait_for_selector("text=Not for this account")
    visit.open("/corpus", "text=Not for this account")
    assert visit.page.locator("[role=option], .card, table, [data-testid=stDataFrame]").count() == 0
    assert visit.page.evaluate("window.hacked") is None
    leave(visit, oidc)


def test_without_signing_in_no_page_says_anything(chromium: object, closed: str) -> None:
    visit = Visit(chromium, closed)
    for path in SCREENS:
        visit.open(path, "text=This dashboard is open to those")
        assert visit.page.locator("[role=option], .card, table, [data-testid=stDataFrame]").count() == 0
        assert "France" not in visit.page.content()
    visit.close()


def test_a_forged_cookie_is_nobody(chromium: object, closed: str) -> None:
    visit = Visit(chromium, closed)
    for value in ("2|1:0|forged", "eyJlbWFpbCI6ImFkYUBleGFtcGxlLm9yZyJ9.x.y"):
        visit.context.add_cookies([{"name": "_streamlit_user", "value": value, "url": closed}])
        visit.open("/", "text=This dashboard is open to those")
    visit.close()


@pytest.fixture(scope="module")
def proxied(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard that is told by a header who is there."""
    file = tmp_path_factory.mktemp("proxied") / "sign-in.toml"
    file.write_text('allow = ["ada@example.org"]\nheader = "X-Forwarded-Email"\n')
    yield from serve(folder, file.with_name("log"), "--sign-in", str(file))


def test_behind_a_reverse_proxy_that_names_people(chromium: object, proxied: str) -> None:
    with proxy(proxied, {"X-Forwarded-Email": "ada@example.org"}) as address:
        visit = Visit(chromium, address)
        visit.open("/")  # pages, scripts and the web socket go through
        visit.open("/runs", "table button")
        visit.close()


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-Email": "eve@evil.invalid"}])
def test_whom_the_proxy_does_not_name_gets_nothing(chromium: object, proxied: str, headers: dict[str, str]) -> None:
    with proxy(proxied, headers) as address:
        visit = Visit(chromium, address, extra_http_headers={"X-Forwarded-Email": "ada@example.org"})  # a forged one
        answer = visit.page.goto(address)
        assert answer is not None and answer.status == 403
        assert "not signed in" in visit.page.inner_text("body")
        visit.context.close()  # the console of the page complains of the 403, rightly
