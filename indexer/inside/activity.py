"""EDGE: what components do in the corpus: watched in the corpus pass, which leaves it in its own parts.

Parts of a build from before, or of other settings, have none: there the documents are passed forward once more.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path

from safetensors.torch import load_file, save_file

from attribution.components.activity import Activity, Corpus, over_corpus, stored
from attribution.components.units import Units
from attribution.curvature.work import lengths
from attribution.passes.capture import Captured
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.corpus_pass import range_of
from indexer.size.member import Member


def watched(member: Member, units: Units) -> Corpus | None:
    """How activity is watched in the documents of this stage of training; None where nothing is wanted of it."""
    settings = member.config.inside
    if not settings.contexts and settings.baseline != "corpus":
        return None
    return Corpus(units, int(lengths(member.own_rows).sum()), settings.contexts)


class Watcher:
    """Watches the corpus pass, a partition."""

    def __init__(self, member: Member, corpus: Corpus) -> None:
        self._watch, self._most = corpus.watch(member.tracked), corpus.most

    def see(self, captured: Captured, documents: Sequence[int]) -> None:
        self._watch.add(captured, documents)

    def leave(self, folder: Path) -> None:
        leave(folder, self._watch.activity, self._most)


def leave(folder: Path, made: Activity, most: int) -> None:
    """Into a part of the corpus pass, or of `activity`."""
    tensors = {name: tensor.contiguous().cpu() for name, tensor in made.tensors().items()}
    save_file(tensors, folder / _file(most))


def activity(
    folder: Path, member: Member, corpus: Corpus, passed: Sequence[Finished], tick: Callable[[int], None]
) -> list[Finished]:
    """Parts that have it, in order; `tick(n)` after n documents.    passed: parts of the corpus pass"""
    lacking = [part.part for part in passed if _file(corpus.most) not in part.files]

    def compute(part: Partition) -> None:
        of = range_of(part.value)
        made = over_corpus(member.tracked, corpus, member.own_rows[of.start : of.stop], of.start, tick)
        leave(part.folder, made, corpus.most)

    made_of = key(base=member.base_key, contexts=corpus.most)
    own = iter(stage(folder, f"activity-{member.entry.name}", made_of, lacking, compute))
    return [next(own) if part.part in lacking else part for part in passed]


def read(parts: Sequence[Finished], most: int) -> Activity:
    """All parts together."""
    return reduce(Activity.plus, (stored(load_file(part.folder / _file(most))) for part in parts))


def _file(most: int) -> str:
    return f"activity-{most}.safetensors"
