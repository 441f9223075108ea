"""EDGE: `whence COMMAND`: every command of the indexer, `export`, and `serve` of the dashboard, under one name.

Neither torch nor transformers is imported before a command computes.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dashboard.__main__ import SERVE, add_options, serve_folder
from indexer import __version__
from indexer.__main__ import Commands, add_commands, run_command

_EXPORT = "Write the answers of a database, or the documents behind one of them, to a file; needs no model."
_EXPORT_MORE = "The ending of FILE says how: .csv, .parquet or .json. A file that is there is replaced."


def parser() -> argparse.ArgumentParser:
    """The commands of `python -m indexer`, as they are there, `export`, and `serve` as `python -m dashboard`."""
    about = "Whence: trace what a language model writes to its prompt and to its training documents."
    top = argparse.ArgumentParser(prog="whence", description=about)
    top.add_argument("--version", action="version", version=f"whence {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_commands(commands)
    _add_export(commands)
    add_options(commands.add_parser("serve", help=SERVE, description=SERVE))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (attribution.errors says which there are)."""
    options = parser().parse_args(arguments)
    return serve_folder(options) if options.command == "serve" else run_command(options)


def _add_export(commands: "Commands[argparse.ArgumentParser]") -> None:
    made = commands.add_parser("export", help=_EXPORT, description=f"{_EXPORT} {_EXPORT_MORE}")
    made.add_argument("folder", metavar="FOLDER", type=Path, help="output folder of a build")
    made.add_argument("file", metavar="FILE", type=Path, help="ends in .csv, .parquet or .json")
    made.add_argument("--model", default="", metavar="NAME", help="only the answers of this size")
    made.add_argument("--answer", default="", metavar="ID", help="the documents behind this generation_id")
    made.add_argument(
        "--token", type=int, metavar="N", help="behind this token alone, from 0 (default: the whole answer)"
    )
    made.add_argument("--normaliser", default="none", metavar="NAME", help="divide the influence (default: none)")
    made.set_defaults(run=_export)


def _export(**given: Any) -> None:
    from whence.export import export  # reading the database takes what `--help` need not wait for

    export(**given)
