"""EDGE: where a command may write a file: in a folder that is there, and over nothing that it or a build reads."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from attribution.errors import BadInput
from indexer.config.config import Config
from indexer.corpus.given import found_files
from indexer.database.beside import files_beside

# of a model's folder, what could be named as an output
_MODEL = re.compile(
    r"(config|generation_config|adapter_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|"
    r"checkpoints|training|.*\.index)\.json"
)


def check_output(path: Path, option: str, inputs: Iterable[Path] = ()) -> None:
    """Raises BadInput for a file that cannot be written, and for one of `inputs` or in a folder of these; writes
    nothing."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"expected a folder for {option}, found none at {folder}; make it")
    if not os.access(folder, os.W_OK):
        raise BadInput(f"expected a folder to write in for {option}, found {folder}, which is not; choose another")
    if not path.exists():
        return
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no plain file"
        raise BadInput(f"expected a file for {option}, found {found} at {path}; give another name")
    for each in inputs:
        if each.exists() and (path.samefile(each) or path.resolve().is_relative_to(each.resolve())):
            raise BadInput(f"expected another file for {option} than what is read, found {path}; give another name")


def inputs_of(config: Config) -> Iterator[Path]:
    """All files and folders that a configuration reads, as far as they are there, and what its build consists of."""
    prompts = (config.prompts.file, *(model.prompts for model in config.model))
    targets = (file for of in config.targets for file in (of.file, of.against))
    yield from (file for file in (*prompts, *targets, config.evaluation.figures) if file is not None)
    for given in (config.corpus.files, *(model.files for model in config.model)):
        for file in given:
            yield file
            try:
                yield from found_files([file])  # of a pattern
            except BadInput:  # it has gone since the build
                continue
    for model in config.model:
        for each in (model.path, model.tokenizer, model.base, model.reference, *model.checkpoints):
            if Path(each).is_absolute():  # else a hub id
                yield from _of_model(Path(each))
    yield from own_files(config.output.folder)


def _of_model(path: Path) -> Iterator[Path]:
    """A file of weights, or what a folder has of a model: the configuration may lie in the same folder."""
    if path.is_dir():
        yield from (file for file in path.iterdir() if _MODEL.fullmatch(file.name))
    else:
        yield path


def own_files(folder: Path) -> Iterator[Path]:
    """What a build consists of, where an output could be named like it."""
    yield from (folder / "journal.jsonl", folder / "parts", *files_beside(folder))
