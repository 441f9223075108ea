"""EDGE: `python -m indexer COMMAND`: reads the command line, runs one command, turns an error into one line."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from inspect import isfunction
from pathlib import Path

from attribution.errors import WhenceError
from attribution.prompt.saliency.method import computed
from indexer import commands
from indexer.processes.ended import too_little_memory

Commands = argparse._SubParsersAction  # what argparse gives for them has no public name


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m indexer", description="Whence: build and ask attribution databases.")
    add_commands(top.add_subparsers(dest="command", required=True, metavar="COMMAND"))
    return top


def add_commands(sub: "Commands[argparse.ArgumentParser]") -> None:
    """Every public function of `commands` is a command; its docstring is the help."""

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
    ask.add_argument("--foil", metavar="TEXT", help="explain why each token and not this one, or why not these words")
    ask.add_argument("--foil-of", metavar="TEXT", help="words of the answer that the foil stands against as a whole")
    ask.add_argument(
        "--saliency",
        action="append",
        default=[],
        metavar="METHOD",
        help=f"of the prompt's tokens (repeatable): {', '.join(computed())}",
    )
    ask.add_argument(
        "--document",
        type=Path,
        metavar="FILE",
        help="what a text, or each row of a file, would do if it were trained on",
    )
    ask.add_argument(
        "--instead-of", metavar="DOCUMENT_ID", help="in place of this training document: the change that makes"
    )
    ask.add_argument("--json", action="store_true", help="print everything as JSON instead of a table")
    ask.add_argument("--save", action="store_true", help="keep the answer, so that the dashboard lists it")
    ask.add_argument("--exact", action="store_true", help="solve every query with all layers together")
    evaluate = command(commands.evaluate)
    scale = evaluate.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="a smaller protocol, the default")
    scale.add_argument("--full", action="store_true", help="all of it, for every size")
    evaluate.add_argument("--model", action="append", default=[], metavar="NAME", help="only this size (repeatable)")
    evaluate.add_argument("--save", type=Path, metavar="FILE.json", help="write the figures there, for other builds")
    select = command(commands.select)
    select.add_argument("--target", required=True, metavar="NAME", help="a [[targets]] of the configuration")
    select.add_argument("--keep", required=True, metavar="SHARE", help="10%% of the documents, or a number of them")
    select.add_argument("--model", default="", metavar="NAME", help="which size (default: the first)")
    select.add_argument("--out", type=Path, metavar="FILE.jsonl", help="write every line there; what is there goes")
    select.add_argument("--diverse", action="store_true", help="keep no near duplicates of what is kept")
    select.add_argument("--candidates", type=Path, metavar="FILE", help="texts to score instead, as a corpus has them")
    convert = command(commands.convert, "MODEL")
    convert.add_argument("folder", metavar="FOLDER", type=Path, help="where it is written; new or empty")
    convert.add_argument("--dtype", default="float32", help="float32 (default), float16 or bfloat16")
    check = command(commands.check, "FOLDER")
    check.add_argument("--repair", action="store_true", help="drop what is damaged; the next build redoes it")
    bring = command(commands.bring, "FOLDER")
    bring.add_argument("storage", metavar="STORAGE", help="where builds publish, as s3://bucket/folder")
    gc = command(commands.gc, "FOLDER")
    gc.add_argument(
        "--keep", type=int, default=3, metavar="N", help="how many of the newest databases stay (default: 3)"
    )
    for run in vars(commands).values():  # those without options
        is_command = isfunction(run) and run.__module__ == commands.__name__ and not run.__name__.startswith("_")
        if is_command and run.__name__ not in sub.choices:
            command(run)


def main(arguments: Sequence[str] | None = None) -> int:
    return run_command(parser().parse_args(arguments))


def run_command(options: argparse.Namespace) -> int:
    """Run the command that was read; returns the exit code. The only place of the indexer that prints an error."""
    given = vars(options)
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
    except (MemoryError, RuntimeError, OSError, ImportError) as error:
        refused = too_little_memory("this command", error)
        if refused is None:
            raise
        print(f"whence: {refused}", file=sys.stderr)
        return refused.exit_code
    return 0


def hush() -> None:
    """Set, for this process and its children, what keeps libraries from drawing and warning."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")  # reading a .gguf file would draw a bar of its own


if __name__ == "__main__":
    hush()
    sys.exit(main())
