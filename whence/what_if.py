"""EDGE: what texts that were not trained on would do for an answer: by the road of `whence ask --document`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.errors import BadInput
from indexer.ask.job import opened_once
from indexer.ask.opened import Opened, configuration
from indexer.corpus.prompt_file import prompt_from_line
from indexer.size.answers import Answer, answer
from indexer.size.rendered import rendered
from indexer.whatif.given import documents_of, typed_document
from indexer.whatif.result import as_json
from indexer.whatif.steps import what_if as predict
from indexer.whatif.stored import stored_answer

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class WhatIf:
    """Influence of D texts on the K tokens of an answer, as the formula gives it for a text that training sees once
    more, which is no calibrated change of log p; where it stands in place of a document, also that of the document, and
    the difference.

    stage: the model whose training would read them   n_train: documents of it
    """

    model: str
    prompt: str
    text: str
    stage: str
    n_train: int
    notices: tuple[str, ...]
    result: Mapping[str, Any] = field(repr=False, compare=False)  # as `whence ask --json` prints it

    @property
    def texts(self) -> pd.DataFrame:
        """[D] title, document_id (that it would have), known (whether it was trained on), text, n_cut (tokens that
        training would drop), influence (on the whole answer); in the order in which they were given."""
        import pandas as pd

        names = ("title", "document_id", "known", "text", "n_cut")
        whole = self.result["spans"][-1]["scores"]
        rows = [(*(of[name] for name in names), score) for of, score in zip(self.result["texts"], whole, strict=True)]
        return pd.DataFrame(rows, columns=[*names, "influence"])

    def tokens(self, number: int = 0) -> pd.DataFrame:
        """[K] position, text, influence of one of the texts, and instead_of and difference (missing without)."""
        import pandas as pd

        scores = self._text(number)["scores"]
        missing = [np.nan] * len(scores)
        old, difference = self.result["instead_of"], self.result["difference"]
        return pd.DataFrame(
            {
                "position": range(len(scores)),
                "text": [of["text"] for of in self.result["tokens"]],
                "influence": scores,
                "instead_of": missing if old is None else old["scores"],
                "difference": missing if difference is None else difference["scores"],
            }
        )

    def words(self, number: int = 0) -> pd.DataFrame:
        """The words of the answer, the whole of it last: [S] kind, text, first, last (tokens, both included),
        influence, instead_of, difference."""
        import pandas as pd

        self._text(number)
        rows = [
            (of["kind"], self.text[of["start"] : of["stop"]], of["first"], of["last"], of["scores"][number])
            + tuple(np.nan if of[name] is None else of[name] for name in ("instead_of", "difference"))
            for of in self.result["spans"]
        ]
        names = ("kind", "text", "first", "last", "influence", "instead_of", "difference")
        return pd.DataFrame(rows, columns=list(names))

    def shares(self, token: int | tuple[int, int] | None = None, number: int = 0) -> pd.DataFrame:
        """Through which token of a text its influence passes, on a token of the answer, several, or all: [T] position,
        text, learned, share. Raises BadInput for a text that is not split: of many, only the ten of largest influence
        are."""
        import pandas as pd

        of = self._text(number)
        if "shares" not in of:
            raise BadInput(f"expected one of the ten texts of largest influence, found number {number}; ask it alone")
        n = len(of["scores"])
        first, last = (0, n - 1) if token is None else token if isinstance(token, tuple) else (token, token)
        if not 0 <= first <= last < n:
            raise BadInput(f"expected a token from 0 to {n - 1} or a pair of them, found {token!r}; see `tokens`")
        read = of["tokens"]
        return pd.DataFrame(
            {
                "position": range(len(read)),
                "text": [each["text"] for each in read],
                "learned": [each["learned"] for each in read],
                "share": np.sum(of["shares"][first : last + 1], axis=0),
            }
        )

    def _text(self, number: int) -> Mapping[str, Any]:
        texts: Sequence[Mapping[str, Any]] = self.result["texts"]
        if not 0 <= number < len(texts):
            raise BadInput(f"expected a text from 0 to {len(texts) - 1}, found {number}; see `texts`")
        return texts[number]


def what_if(
    folder: Path,
    given: str | Sequence[str] | Path,
    prompt: str,
    generation_id: str,
    model: str,
    foil: str | None,
    instead_of: str | None,
) -> WhatIf:
    """See `Runs.what_if`."""
    if bool(prompt) == bool(generation_id):
        raise BadInput("expected a prompt, or the generation_id of a stored answer, found both or none; give one")
    if isinstance(given, Path):
        config = configuration(folder)
        documents = documents_of(given, config.corpus.text, folder)
    else:
        documents = [typed_document(each) for each in ([given] if isinstance(given, str) else given)]
    opened = opened_once(str(folder.resolve()), model or configuration(folder).model[0].name)
    asked = stored_answer(opened.member, generation_id) if generation_id else _answer(opened, prompt, foil)
    result = as_json(predict(opened, asked, documents, instead_of), opened)
    about = {name: result[name] for name in ("model", "prompt", "text", "stage", "n_train")}
    return WhatIf(**about, notices=tuple(result["notices"]), result=result)


def _answer(opened: Opened, prompt: str, foil: str | None) -> Answer:
    member, settings = opened.member, opened.member.config.prompts
    return answer(
        member.loaded, rendered(prompt_from_line(prompt, foil), member.loaded, settings), settings.max_new_tokens
    )
