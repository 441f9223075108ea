"""EDGE: a language model fine-tuned on all conversations and on halves of them, and what each method foretold of it:
`python -m data.build_llm.trust`. It takes hours; every model is kept as it is trained, and the same command goes on.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from attribution.errors import WhenceError
from data.build_llm.places import BASE, FOLDER
from data.build_llm.trust.protocol import Protocol
from data.build_llm.trust.table import rows
from data.build_llm.trust.trial import ANSWERS, Trial, placed, prepared, run, save, so_far
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.lock import lock, stop_on_signal
from indexer.journal.stages import NotFinished
from indexer.processes.progress import Report


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or that of the error which is printed in one line."""
    parser = argparse.ArgumentParser(prog="python -m data.build_llm.trust", description=__doc__)
    parser.add_argument("config", type=Path, nargs="?", default=FOLDER / "trust.toml")
    parser.add_argument("--base", type=Path, default=BASE, help="the folder of what is fine-tuned")
    parser.add_argument("--halves", type=int, default=Protocol().halves, help="models on random halves")
    parser.add_argument("--processes", type=int, default=1, help="models trained side by side, one thread each")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--so-far", action="store_true", help="only print the figures of what is trained by now")
    only.add_argument("--save", action="store_true", help="only write what the models that are there answered")
    chosen = parser.parse_args(arguments)
    try:
        trial = _trial(chosen)
        if chosen.save:
            print(f"{save(trial)} models in {ANSWERS}")
            return 0
        found = _figures(trial, chosen.so_far)
    except NotFinished as missing:
        said = f"expected all that figures are made of, found that {missing} is to come; run it without --so-far"
        print(said, file=sys.stderr)
        return 2
    except WhenceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(*rows(found), sep="\n")
    return 0


def _trial(chosen: argparse.Namespace) -> Trial:
    protocol = replace(Protocol(), halves=chosen.halves)
    return prepared(placed(chosen.config), chosen.base, protocol, chosen.processes)


def _figures(trial: Trial, only_so_far: bool) -> list[Figure]:
    if only_so_far:
        return so_far(trial)
    with lock(trial.config.output.folder), stop_on_signal(), Report() as report:
        return run(trial, report)


if __name__ == "__main__":
    sys.exit(main())
