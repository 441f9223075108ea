"""EDGE: who may read: the file given with `--sign-in` and its list of addresses.

People are known by st.login (OpenID Connect, the file's [auth] table) or by a header that a reverse proxy sets after
it has signed them in. Either way the list decides.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from attribution.errors import BadInput

FILE_VARIABLE = "WHENCE_SIGN_IN"  # the file, for the script that Streamlit runs
_AUTH = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
_SHORTEST_SECRET = 32  # characters; shorter ones can be guessed
_ALLOWED = re.compile(r"[^@\s]*@[^@\s]+")
_HEADER = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class SignIn:
    """`allow`: addresses, or "@domain" for everybody there. `header`: what the proxy sets; "" means st.login."""

    allow: tuple[str, ...]
    header: str = ""


def is_allowed(address: str, allow: Sequence[str]) -> bool:
    """Whether an e-mail address is on the list, in whatever case; "@domain" stands for all of exactly that domain."""
    address = address.strip().casefold()
    name, at, domain = address.rpartition("@")
    listed = {each.casefold() for each in allow}
    return bool(name and at and domain) and (address in listed or f"@{domain}" in listed)


def may_read(user: Mapping[str, Any], allow: Sequence[str]) -> bool:
    """Whether the person whom st.login knows may read; an address that the provider has not verified is none."""
    address = user.get("email")
    signed_in = bool(user.get("is_logged_in")) and user.get("email_verified") is not False
    return signed_in and isinstance(address, str) and is_allowed(address, allow)


def read_sign_in(path: Path) -> SignIn:
    """Read and check the file; raises BadInput for whatever would leave the door open or nobody able to enter."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"expected a readable file for --sign-in at {path}, found: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"expected TOML in {path}, found: {error}; mend that line") from None
    allow, header, auth = values.pop("allow", None), values.pop("header", ""), values.pop("auth", None)
    if values:
        raise BadInput(f"expected allow, and header or [auth], in {path}, found {next(iter(values))!r}; take it out")
    if not isinstance(allow, list) or not allow or not all(isinstance(each, str) for each in allow):
        raise BadInput(f"expected allow = [addresses] in {path}, found {allow!r}; list who may read")
    wrong = [each for each in allow if not _ALLOWED.fullmatch(each)]
    if wrong:
        raise BadInput(f"expected an address or '@domain' in allow of {path}, found {wrong[0]!r}; write it in full")
    if (header == "") == (auth is None):
        raise BadInput(f"expected either header or [auth] in {path}, found {'both' if header else 'none'}; keep one")
    if header and not (isinstance(header, str) and _HEADER.fullmatch(header)):
        raise BadInput(f"expected the name of a header in {path}, found {header!r}; write it as 'X-Forwarded-Email'")
    if not header:
        _check_auth(path, auth)
    return SignIn(tuple(allow), header)


def of_this_process() -> SignIn | None:
    """What `whence serve --sign-in` was given; None when everybody may read."""
    path = os.environ.get(FILE_VARIABLE)
    return _read_once(path) if path else None


@lru_cache(maxsize=4)
def _read_once(path: str) -> SignIn:
    return read_sign_in(Path(path))


def _check_auth(path: Path, auth: Any) -> None:
    if not isinstance(auth, dict):
        raise BadInput(f"expected a table [auth] in {path}, found {auth!r}")
    for key in _AUTH:
        if not isinstance(auth.get(key), str) or not auth[key]:
            raise BadInput(f"expected {key!r} as text in [auth] of {path}, found none; st.login needs it")
    if len(auth["cookie_secret"]) < _SHORTEST_SECRET:
        raise BadInput(
            f"expected a cookie_secret of at least {_SHORTEST_SECRET} characters in {path}, found a shorter one; "
            "make one with `python -c 'import secrets; print(secrets.token_hex(32))'`"
        )
    if not auth["redirect_uri"].endswith("/oauth2callback"):
        raise BadInput(f"expected a redirect_uri that ends with /oauth2callback in {path}, found another; mend it")
