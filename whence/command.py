"""EDGE: `whence COMMAND`: every command of the indexer, and `serve` of the dashboard, under one name.

Neither torch nor transformers is imported before a command computes.
"""

import argparse
from collections.abc import Sequence

from dashboard.__main__ import add_options, serve_folder
from indexer import __version__
from indexer.__main__ import add_commands, run_command

_SERVE = "Serve the database in an output folder of a build to a browser; needs no model."


def parser() -> argparse.ArgumentParser:
    """The commands of `python -m indexer`, as they are there, and `serve` with the options of `python -m dashboard`."""
    about = "Whence: trace what a language model writes to its prompt and to its training documents."
    top = argparse.ArgumentParser(prog="whence", description=about)
    top.add_argument("--version", action="version", version=f"whence {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_commands(commands)
    add_options(commands.add_parser("serve", help=_SERVE, description=_SERVE))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (attribution.errors says which there are)."""
    options = parser().parse_args(arguments)
    return serve_folder(options) if options.command == "serve" else run_command(options)
