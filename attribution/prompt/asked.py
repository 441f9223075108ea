"""A prompt as it was read and the answer as it was written: what every explanation begins with."""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.prompt.context.nested import Nested
from attribution.prompt.text.parts import Part


@dataclass(frozen=True)
class Asked:
    """A prompt as it was read and the answer as it was written."""

    prompt_ids: Sequence[int]
    of_token: Sequence[int]  # the part of each prompt id, from `token_parts`
    parts: Sequence[Part]
    answer_ids: Sequence[int]
    answer_text: str
    answer_spans: Sequence[tuple[int, int]]
    nested: Nested | None = None  # the sentences of its documents; None: documents alone are left out

    @property
    def documents(self) -> tuple[int, ...]:
        return tuple(part.part for part in self.parts if part.kind == "document")
