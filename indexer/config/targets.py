"""Many prompts with completions as one question: a table `[[targets]]` for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attribution.errors import BadInput
from indexer.config.toml_table import Share, check_names


@dataclass(frozen=True)
class TargetSet:
    """A benchmark, a list of complaints, a style: texts that are asked about as a whole."""

    name: str
    """Names it in commands and on pages: letters, digits, `.`, `_` and `-`."""
    file: Path
    """Prompts with a `completion` each, as in a prompt file: what is explained is the mean log p of a token of all
    completions."""
    against: Path | None = None
    """The same of what is taken from it: the mean log p of these completions."""
    scored: Share = 0.03
    """Share of the documents that are scored exactly, half at either end of what the gradient index estimates of all
    of them; ten at either end at least."""


def check_targets(targets: Sequence[TargetSet], path: Path) -> None:
    """Raises BadInput for a name that is used twice or names no folder, and for a file that is not there."""
    check_names([of.name for of in targets], "name", f"{path.name}, targets", "options")
    for of in targets:
        for file in (of.file, of.against):
            if file is not None and not file.is_file():
                raise BadInput(f"expected prompts of the target set {of.name} at {file}, found no file; fix the path")
