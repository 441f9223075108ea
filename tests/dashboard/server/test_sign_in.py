"""Who may read: the file is checked before anything is served, and the list means exactly what it says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput
from dashboard.__main__ import main
from dashboard.server.sign_in import SignIn, is_allowed, may_read, read_sign_in

ALLOW = ("ada@example.org", "@lab.example")
AUTH = {
    "redirect_uri": "https://whence.example/oauth2callback",
    "cookie_secret": "x" * 32,
    "client_id": "id",
    "client_secret": "secret",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}


def written(path: Path, start: str, auth: dict[str, str] | None = None) -> Path:
    table = "" if auth is None else "\n[auth]\n" + "".join(f'{key} = "{value}"\n' for key, value in auth.items())
    path.write_text(start + table)
    return path


@pytest.mark.parametrize("address", ["ada@example.org", "ADA@Example.ORG", " ada@example.org ", "x.y@lab.example"])
def test_on_the_list(address: str) -> None:
    assert is_allowed(address, ALLOW)


@pytest.mark.parametrize(
    "address",
    ["", "@", "ada", "ada@example.org.evil", "eve@example.org", "a@sub.lab.example", "@lab.example", "a@b@lab.examplex",
     "ada@example.org\x00", "ada@example.org,eve@evil"],
)  # fmt: skip
def test_not_on_the_list(address: str) -> None:
    assert not is_allowed(address, ALLOW)


@given(st.text(max_size=40))
def test_nothing_else_is_on_the_list(address: str) -> None:
    assert is_allowed(address, ALLOW) == (
        address.strip().casefold() == "ada@example.org"
        or (address.strip().casefold().endswith("@lab.example") and len(address.strip()) > len("@lab.example"))
    )


def test_an_address_counts_when_someone_is_signed_in_and_the_provider_stands_by_it() -> None:
    ada = {"is_logged_in": True, "email": "ada@example.org"}
    assert may_read(ada, ALLOW)
    assert may_read(ada | {"email_verified": True}, ALLOW)
    assert not may_read(ada | {"email_verified": False}, ALLOW)
    assert not may_read(ada | {"is_logged_in": False}, ALLOW)
    assert not may_read({"is_logged_in": True}, ALLOW)
    assert not may_read(ada | {"email": ["ada@example.org"]}, ALLOW)


def test_the_two_files_of_the_readme(tmp_path: Path) -> None:
    assert read_sign_in(written(tmp_path / "a", 'allow = ["@lab.example"]', AUTH)) == SignIn(("@lab.example",))
    behind = written(tmp_path / "b", 'allow = ["a@b"]\nheader = "X-Forwarded-Email"')
    assert read_sign_in(behind) == SignIn(("a@b",), "X-Forwarded-Email")


@pytest.mark.parametrize(
    ("start", "auth", "message"),
    [
        ("", AUTH, "expected allow ="),
        ("allow = []", AUTH, "expected allow ="),
        ('allow = "a@b"', AUTH, "expected allow ="),
        ('allow = ["*"]', AUTH, "found '*'"),
        ('allow = ["lab.example"]', AUTH, "found 'lab.example'"),
        ('allow = ["a@b"]', None, "found none"),
        ('allow = ["a@b"]\nheader = "X"', AUTH, "found both"),
        ('allow = ["a@b"]\nheader = "X Y"', None, "name of a header"),
        ('allow = ["a@b"]\nheader = 3', None, "name of a header"),
        ('allow = ["a@b"]\nheaders = "X"', None, "found 'headers'"),
        ('allow = ["a@b"]', AUTH | {"cookie_secret": "short"}, "at least 32 characters"),
        ('allow = ["a@b"]', AUTH | {"redirect_uri": "https://whence.example"}, "/oauth2callback"),
        ('allow = ["a@b"]', {"client_id": "id"}, "expected 'redirect_uri'"),
        ("allow = [", None, "expected TOML"),
    ],
)
def test_a_file_that_would_let_in_everybody_or_nobody_is_refused_before_serving(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], start: str, auth: dict[str, str] | None, message: str
) -> None:
    file = written(tmp_path / "sign-in.toml", start, auth)
    assert main([str(tmp_path), "--sign-in", str(file)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("host", ["*", "*.example", "http://a", "a:80", "a b", ""])
def test_an_allowed_host_is_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str) -> None:
    assert main([str(tmp_path), "--allow-host", host]) == 2
    assert "expected one host name" in capsys.readouterr().err


@given(st.binary(max_size=80) | st.text(alphabet='allow=[]"@\nauthe.', max_size=60).map(str.encode))
def test_any_bytes_are_a_sign_in_or_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        read_sign_in(path)
    assert "\n" not in str(refused.value)
