"""EDGE: a server of objects on this machine that can be told to fail, or to ignore conditions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

CONDITIONS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")


class Server:
    """`address` of a bucket; what is to go wrong is set while it runs."""

    def __init__(self) -> None:
        self.failing = 0  # so many puts, the next ones, are not done
        self.failed = 0  # puts that were not
        self.ignores_conditions = False
        self.read: list[str] = []  # paths of the objects that were asked for
        self._served = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environment, start):
        if environment["REQUEST_METHOD"] == "PUT":
            if self.ignores_conditions:
                for name in CONDITIONS:
                    environment.pop(name, None)
            if self.failing and "/parts/" in environment["PATH_INFO"]:
                self.failing -= 1
                self.failed += 1
                environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
                start("500 Internal Server Error", [("Content-Type", "application/xml")])
                return [b"<Error><Code>InternalError</Code><Message>made to fail</Message></Error>"]
        if environment["REQUEST_METHOD"] == "GET":
            self.read.append(environment["PATH_INFO"])
        return self._served(environment, start)


@contextmanager
def object_server(patch) -> Iterator[Server]:
    """While it runs, clients of S3 in this process and its children find it."""
    server = Server()
    running = make_server("127.0.0.1", 0, server, threaded=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{running.server_port}"
    with urlopen(Request(f"{address}/moto-api/reset", method="POST")):  # noqa: S310 - what an earlier one has kept
        pass
    patch.setenv("AWS_ENDPOINT_URL", address)
    patch.setenv("AWS_ACCESS_KEY_ID", "made")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "up")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        yield server
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
