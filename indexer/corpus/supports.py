"""Which documents a prompt file means by `supports`: by the ids of Whence, or by those of the corpus itself. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from indexer.corpus.corpus import known
from indexer.corpus.prompt import Prompt
from indexer.corpus.reader import CorpusReading

_NAMED = 3  # of the ids that nothing has


class Supports:
    """The ids of some corpora."""

    def __init__(self, corpora: Iterable[CorpusReading]) -> None:
        self._corpora = tuple(corpora)

    def found(self, prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
        """The prompts with every own id replaced by those of all documents that have it; an id that nothing has stays
        as it is: it may be one of a stage of training that is not built now."""
        of = self._named(prompts)
        return tuple(
            replace(each, supports=tuple(dict.fromkeys(one for name in each.supports for one in of[name] or (name,))))
            for each in prompts
        )

    def notice(self, prompts: Sequence[Prompt], of: str) -> str:
        """One line that names what no document has; "" where all are known."""
        unknown = [name for name, ids in self._named(prompts).items() if not ids]
        if not unknown:
            return ""
        more = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
        return (
            f"{of}: no document has the id that `supports` names: {', '.join(map(repr, unknown[:_NAMED]))}{more}; "
            "expected an id of Whence or of the corpus's column id"
        )

    def _named(self, prompts: Sequence[Prompt]) -> dict[str, tuple[str, ...]]:
        """The documents of every id that the prompts name, in their order; () where there is none."""
        made: dict[str, tuple[str, ...]] = {name: () for each in prompts for name in each.supports}
        for corpus in self._corpora:
            for own, ids in corpus.called(made).items():
                made[own] = tuple(dict.fromkeys((*made[own], *ids)))
        return made | {each: (each,) for corpus in self._corpora for each in known(corpus, made)}
