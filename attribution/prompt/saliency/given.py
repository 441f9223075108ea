"""What a saliency method is given: the subject, what absent means, how much work it may do; shared parts made once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from attribution.errors import BadInput
from attribution.prompt.saliency import gradient
from attribution.prompt.saliency.subject import Subject


@dataclass(frozen=True)
class Given:
    """One subject for all its methods: what several need is computed when the first of them asks."""

    subject: Subject
    absent_id: int | None  # the token that stands for "nothing here"; None: a zero embedding
    steps: int  # gradients of the integrated methods
    scan: int  # forward passes that say where to put them; 0: captum's nodes
    layer: int | None  # of layer_integrated_gradients; None: the middle block
    parts: Sequence[int] | None  # of shapley: the part of each prompt id, -1 for ids that always stay
    batch: int  # rows in a forward pass

    @cached_property
    def gradients(self) -> tuple[Tensor, Tensor, Tensor]:
        """Values [K], gradients [K, S, D], embeddings [S, D]."""
        return gradient.embedding_gradients(self.subject)

    @cached_property
    def value(self) -> Tensor:
        """f of every answer token in question: [K]."""
        if "gradients" in self.__dict__:
            return self.gradients[0]
        with torch.no_grad():
            return self.subject.measure(self.subject.embeddings()[None])[0]

    @cached_property
    def absent(self) -> Tensor:
        """The embeddings [S, D] of a text in which all but the first id is absent."""
        x = self.subject.embeddings()
        if self.absent_id is None:
            absent = torch.zeros_like(x)
        else:
            ids = torch.full_like(self.subject.ids, self.absent_id)
            absent = self.subject.model.get_input_embeddings()(ids).detach()
        absent[0] = x[0]
        return absent

    @property
    def baseline(self) -> str:
        """What an absent token is, in words."""
        what = "zero embedding" if self.absent_id is None else f"token {self.absent_id}"
        return f"{what}, first token kept"

    def part_of_token(self) -> Tensor:
        """[S] from 0; -1: never taken away. Raises BadInput without a part for each prompt token."""
        asked, parts = self.subject, self.parts
        if parts is None or len(parts) != asked.n_prompt or max(parts) < 0:
            found = "none" if parts is None else f"{len(parts)} group numbers up to {max(parts, default=-1)}"
            raise BadInput(
                f"expected for shapley a part number from 0 for each of {asked.n_prompt} prompt tokens, found {found}"
            )
        answer = [-1] * (len(asked.ids) - asked.n_prompt)
        return torch.tensor([*parts, *answer], device=asked.ids.device)
