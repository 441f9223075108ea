"""`docs/commands.md`: every command with its options, out of the parsers; targets of the Makefile; exit codes. Pure."""

import inspect
import re
from typing import TYPE_CHECKING

from attribution.errors import WhenceError
from docs.generate.markdown import escaped, table
from whence.command import parser

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser

_BEFORE = """# Commands

`whence COMMAND --help` prints what stands here. Without an installed command, from a checkout, `python -m whence
COMMAND` is the same; `python -m indexer` has all but `export` and `serve`, and `python -m dashboard` is `whence serve`.
CONFIG is a [configuration](configuration.md), FOLDER the output folder that it names.
"""
_CODES = """## Exit codes

A mistake ends in one line that says what was expected, what was found and what to do next. Code 1 is for what nobody
foresaw: please report it.

"""


def commands() -> dict[str, "ArgumentParser"]:
    """Name -> parser, in the order of the help."""
    [sub] = [action.choices for action in parser()._actions if isinstance(action.choices, dict)]
    return sub


def page(makefile: str) -> str:
    parts = [_command(name, of) for name, of in commands().items()]
    targets = table(("target", ""), [(f"`make {name}`", text) for name, text in make_targets(makefile).items()])
    return "\n".join([_BEFORE, *parts, f"## Targets of the Makefile\n\n{targets}", _CODES + _exit_codes()])


def make_targets(makefile: str) -> dict[str, str]:
    """Target -> what `make help` says of it."""
    return dict(re.findall(r"^([a-z-]+):.*?## *(.*)$", makefile, flags=re.MULTILINE))


def _command(name: str, of: "ArgumentParser") -> str:
    actions = [action for action in of._actions if "--help" not in action.option_strings]
    given = [action for action in actions if not action.option_strings]
    words = [_shown(action) if action.nargs != "?" else f"[{_shown(action)}]" for action in given]
    rows = [
        (f"`{_words(action)}`", escaped((action.help or "").replace("%%", "%"))) for action in actions if action.help
    ]
    text = inspect.cleandoc(of.description or "")
    parts = [f"## `whence {name}`\n", f"```\nwhence {' '.join([name, *words])}\n```\n", escaped(text) + "\n"]
    return "\n".join([*parts, *([table(("option", ""), rows)] if rows else [])])


def _shown(action: "Action") -> str:
    return str(action.metavar or action.dest.upper())


def _words(action: "Action") -> str:
    if not action.option_strings:
        return _shown(action)
    return " ".join([", ".join(action.option_strings), *([_shown(action)] if action.nargs != 0 else [])])


def _exit_codes() -> str:
    rows = [("0", "", "Done.")]
    for error in sorted(WhenceError.__subclasses__(), key=lambda each: each.exit_code):
        rows.append((str(error.exit_code), f"`{error.__name__}`", escaped(inspect.getdoc(error) or "")))
    return table(("code", "error", ""), rows)
