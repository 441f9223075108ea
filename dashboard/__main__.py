"""EDGE: `whence serve [FOLDER]`, or `python -m dashboard [FOLDER]`: serves a published database to a browser."""

import argparse
import os
import re
import socket
import sys
from pathlib import Path

from attribution.errors import BadInput, Damaged, WhenceError

SERVE = "Serve the database in an output folder of a build to a browser; needs no model."
DEFAULT_FOLDER = Path("data/demo/build")
FIRST_PORT, LAST_PORT = 8501, 8550
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9a-fA-F:]+\]")


def main(arguments: list[str] | None = None) -> int:
    return serve_folder(_parser().parse_args(arguments))


def serve_folder(options: argparse.Namespace) -> int:
    """Check, serve; returns the exit code. The only place of the dashboard that prints an error."""
    try:
        _check(options.folder)
        _check_hosts(options.allow_host)
        _check_database(options.folder)
        from dashboard.server.sign_in import FILE_VARIABLE, read_sign_in

        sign_in = read_sign_in(options.sign_in) if options.sign_in else None
        port = options.port or _free_port(options.address)
    except WhenceError as error:
        print(f"whence: {error}", file=sys.stderr)
        return error.exit_code
    from dashboard.database.connection import FOLDER_VARIABLE
    from dashboard.server.serving import serve, server_options

    os.environ[FOLDER_VARIABLE] = str(options.folder.resolve())
    os.environ.pop(FILE_VARIABLE, None)
    secrets = None
    if sign_in is not None:
        os.environ[FILE_VARIABLE] = str(options.sign_in.resolve())
        secrets = None if sign_in.header else options.sign_in.resolve()
    print(f"Whence shows {options.folder} at http://{_shown(options.address)}:{port}  (Ctrl-C ends it)", flush=True)
    serve(server_options(port, options.address, tuple(options.allow_host), secrets), sign_in)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dashboard", description=SERVE)
    add_options(parser)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    shown = f"output folder of a build (default: {DEFAULT_FOLDER})"
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER, help=shown)
    parser.add_argument("--port", type=int, default=0, help=f"default: the first free one from {FIRST_PORT}")
    parser.add_argument("--address", default="127.0.0.1", help="default: this machine only")
    parser.add_argument("--allow-host", action="append", default=[], help="a host name under which browsers may ask")
    parser.add_argument("--sign-in", type=Path, metavar="FILE", help="who may read: a TOML file, see docs/serving.md")


def _check(folder: Path) -> None:
    """Raises BadInput unless `folder` exists; an empty one is served, and the page tells how to fill it."""
    if not folder.exists():
        raise BadInput(
            f"expected an output folder, found nothing at {folder}; run `whence build CONFIG` first, "
            "or give the folder that its configuration names"
        )
    if not folder.is_dir():
        raise BadInput(f"expected an output folder, found the file {folder}; give the folder that it lies in")


def _check_hosts(hosts: list[str]) -> None:
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise BadInput(
                f"expected one host name for --allow-host, found {host!r}; give the name alone, without port or '*'"
            )


def _check_database(folder: Path) -> None:
    """Raises BadInput for a database of another version, which no page could show; a damaged one is told by the page,
    since an older generation may be whole and a build may mend it."""
    from indexer.database.reader import Database
    from indexer.database.snapshot_file import snapshots

    if (folder / "CURRENT").exists() or snapshots(folder):
        try:
            Database(folder).current()
        except Damaged:
            return


def _free_port(address: str) -> int:
    for port in range(FIRST_PORT, LAST_PORT + 1):
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise BadInput(f"expected a free port from {FIRST_PORT} to {LAST_PORT}, found none; give one with --port")


def _shown(address: str) -> str:
    return "localhost" if address in ("127.0.0.1", "0.0.0.0") else address  # noqa: S104


if __name__ == "__main__":
    sys.exit(main())
