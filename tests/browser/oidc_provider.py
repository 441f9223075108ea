"""EDGE: an OpenID Connect provider in miniature: signs in whoever it is told, at once, without a password."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})
CLIENT = "whence"


class Provider(ThreadingHTTPServer):
    """`claims` are what it says of the next person who signs in."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.claims: dict[str, object] = {}
        self.nonces: dict[str, str] = {}  # code -> nonce of the request


class _Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:  # noqa: N802 (named by the library)
        asked = urlsplit(self.path)
        here = self.server.address
        if asked.path == "/.well-known/openid-configuration":
            self._json(
                {
                    "issuer": here,
                    "authorization_endpoint": f"{here}/authorize",
                    "token_endpoint": f"{here}/token",
                    "jwks_uri": f"{here}/keys",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif asked.path == "/keys":
            self._json({"keys": [KEY.as_dict(private=False)]})
        else:
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            code = f"code{len(self.server.nonces)}"
            self.server.nonces[code] = query.get("nonce", "")
            self.send_response(302)
            back = {"code": code, "state": query["state"]}
            self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
            self.end_headers()

    def do_POST(self) -> None:  # noqa: N802
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        now = int(time.time())
        about = {"iss": self.server.address, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 600}
        about |= {"nonce": self.server.nonces[form["code"][0]]} | self.server.claims
        token = jwt.encode({"alg": "RS256", "kid": "test"}, about, KEY)
        self._json({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    def log_message(self, *_: object) -> None:
        pass

    def _json(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def provider() -> Iterator[Provider]:
    with Provider() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()
