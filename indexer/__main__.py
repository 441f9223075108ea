"""EDGE: `python -m indexer COMMAND`: reads the command line, runs one command, turns an error into one line."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from attribution.errors import WhenceError
from indexer import commands


def parser() -> argparse.ArgumentParser:
    """Every public function of `commands` is a command; its docstring is the help."""
    top = argparse.ArgumentParser(prog="python -m indexer", description="Whence: build and ask attribution databases.")
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(run: Callable[..., None], argument: str = "CONFIG") -> argparse.ArgumentParser:
        text = (run.__doc__ or "").strip()
        made = sub.add_parser(run.__name__, help=text.splitlines()[0], description=text)
        made.add_argument(argument.lower(), metavar=argument, type=Path)
        made.set_defaults(run=run)
        return made

    build = command(commands.build)
    build.add_argument("--strict", action="store_true", help="refuse empty and duplicate documents")
    build.add_argument("--model", action="append", default=[], metavar="NAME", help="only this size (repeatable)")
    plan = command(commands.plan)
    plan.add_argument("--model", action="append", default=[], metavar="NAME", help="only this size (repeatable)")
    train = command(commands.train)
    train.add_argument("--model", action="append", default=[], metavar="NAME", help="only this size (repeatable)")
    train.add_argument("--again", action="store_true", help="train over what is there")
    ask = command(commands.ask)
    ask.add_argument("prompt", metavar="PROMPT", help="what the model shall go on from, or a line of JSON")
    ask.add_argument("--model", default="", metavar="NAME", help="which size (default: the first of the configuration)")
    ask.add_argument("--foil", metavar="TOKEN", help="explain why each token and not this one")
    ask.add_argument(
        "--saliency", action="append", default=[], metavar="METHOD", help="of the prompt's tokens (repeatable)"
    )
    ask.add_argument("--json", action="store_true", help="print everything as JSON instead of a table")
    ask.add_argument("--save", action="store_true", help="keep the answer, so that the dashboard lists it")
    evaluate = command(commands.evaluate)
    scale = evaluate.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="a smaller protocol, the default")
    scale.add_argument("--full", action="store_true", help="all of it, for every size")
    evaluate.add_argument("--model", action="append", default=[], metavar="NAME", help="only this size (repeatable)")
    convert = command(commands.convert, "MODEL")
    convert.add_argument("folder", metavar="FOLDER", type=Path, help="where it is written; new or empty")
    convert.add_argument("--dtype", default="float32", help="float32 (default), float16 or bfloat16")
    check = command(commands.check, "FOLDER")
    check.add_argument("--repair", action="store_true", help="drop what is damaged; the next build redoes it")
    gc = command(commands.gc, "FOLDER")
    gc.add_argument(
        "--keep", type=int, default=3, metavar="N", help="how many of the newest databases stay (default: 3)"
    )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = vars(parser().parse_args(arguments))
    given.pop("command")
    run = given.pop("run")
    try:
        run(**given)
    except WhenceError as error:
        print(f"whence: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("whence: interrupted; give the same command again to go on", file=sys.stderr)
        return 75
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")  # reading a .gguf file would draw a bar of its own
    sys.exit(main())
