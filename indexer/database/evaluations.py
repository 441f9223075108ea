"""EDGE: measures of the models, as they lie in the output folder beside what was built."""

from collections.abc import Sequence
from pathlib import Path

from indexer.journal.stages import Finished, finished

PREFIX = "evaluation-"
FULL = ".full"
MEASURES = (
    "choosing",
    "few-documents",
    "index",
    "lds",
    "mislabelled",
    "pbrf",
    "planted",
    "removal",
    "slope",
    "stability",
    "topics",
)  # that are taken quick or full; the name of a model may hold anything that a stage's may
BASIS = "basis.txt"  # hash of what a quick and a full measure have in common


def evaluation_parts(folder: Path, model_ids: Sequence[str]) -> list[Finished]:
    """What was measured of these models; weights that were trained anew have other ids. Of a quick and a full measure,
    the full one, unless the quick one is newer and of another basis."""
    found: dict[tuple[str, str | int], Finished] = {}
    for each in finished(folder):  # oldest first
        if each.stage.startswith(PREFIX) and each.part in model_ids:
            quick = _quick(each.stage)
            place = quick, each.part
            before = found.get(place)
            if before is None or quick != each.stage or _basis(before) != _basis(each):
                found[place] = each
    return list(found.values())


def _quick(stage: str) -> str:
    """The stage of the quick measure that a full one replaces; any other stage itself."""
    for measure in MEASURES:
        if stage.startswith(full := f"{PREFIX}{measure}{FULL}-"):
            return f"{PREFIX}{measure}-{stage.removeprefix(full)}"
    return stage


def _basis(part: Finished) -> str:
    file = part.folder / BASIS
    return file.read_text(encoding="utf-8") if file.is_file() else ""
