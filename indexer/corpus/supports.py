"""Which documents a prompt file means by `supports`: by the ids of Whence, or by those of the corpus itself. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from indexer.corpus.prompt import Prompt
from indexer.corpus.reader import CorpusReading

_NAMED = 3  # of the ids that nothing has


class Supports:
    """The ids of some corpora."""

    def __init__(self, corpora: Iterable[CorpusReading]) -> None:
        self._known: set[str] = set()
        self._own: dict[str, tuple[str, ...]] = {}
        for corpus in corpora:
            self._known.update(document.document_id for document in corpus.documents)
            for own, ids in corpus.own_ids.items():
                self._own[own] = tuple(dict.fromkeys((*self._own.get(own, ()), *ids)))

    def found(self, prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
        """The prompts with every own id replaced by those of all documents that have it; an id that nothing has stays
        as it is: it may be one of a stage of training that is not built now."""
        return tuple(replace(each, supports=tuple(dict.fromkeys(self._ids(each)))) for each in prompts)

    def notice(self, prompts: Sequence[Prompt], of: str) -> str:
        """One line that names what no document has; "" where all are known."""
        unknown = list(dict.fromkeys(each for p in prompts for each in p.supports if not self._of(each)))
        if not unknown:
            return ""
        more = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
        return (
            f"{of}: no document has the id that `supports` names: {', '.join(map(repr, unknown[:_NAMED]))}{more}; "
            "expected an id of Whence or of the corpus's column id"
        )

    def _ids(self, prompt: Prompt) -> list[str]:
        return [each for named in prompt.supports for each in self._of(named) or (named,)]

    def _of(self, named: str) -> tuple[str, ...]:
        return (named,) if named in self._known else self._own.get(named, ())
