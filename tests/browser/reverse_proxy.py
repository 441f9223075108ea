"""EDGE: a reverse proxy in miniature, as docs/serving.md has nginx: keeps Host, drops what the visitor says of himself,
adds who he is, and passes web sockets on."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def proxy(to: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The address under which it stands before the server at the address `to`; it adds the headers."""
    target = urlsplit(to)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            with suppress(OSError):  # until the listener is closed
                while True:
                    visitor, _ = listener.accept()
                    threading.Thread(target=_pass, args=(visitor, target, headers), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _pass(visitor: socket.socket, target: object, headers: Mapping[str, str]) -> None:
    """One request a connection, so that every request's head is seen; a web socket stays open."""
    with visitor, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            more = visitor.recv(65536)
            if not more:
                return
            head += more
        head, _, body = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        dropped = {name.lower() for name in headers} | {"x-forwarded-email"}
        upgrade = any(line.lower().startswith("upgrade:") for line in lines)
        dropped |= set() if upgrade else {"connection"}
        kept = [line for line in lines if line.partition(":")[0].lower() not in dropped]
        kept += [f"{name}: {value}" for name, value in headers.items()]
        kept += [] if upgrade else ["Connection: close"]
        with socket.create_connection((target.hostname, target.port)) as server:  # type: ignore[attr-defined]
            server.sendall("\r\n".join([first, *kept, "", ""]).encode("latin-1") + body)
            threading.Thread(target=_copy, args=(visitor, server), daemon=True).start()
            _copy(server, visitor)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
