"""An answer from documents, with all that is stored about its context; thresholds and spans change without a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.queries import answers, prompts
from dashboard.queries.rows import Snapshot
from dashboard.records import Generation, Measure, Part, PromptToken, Token
from indexer.refit import (
    PRESETS,
    Citation,
    Settings,
    cite_cues,
    kept_cues,
    sensitive,
    span_scores,
    stored_ablations,
    token_sentences,
)

Floats = NDArray[np.float64]
CUES = ("mirage_norm", "mirage_grad_x_input", "cci_norm", "cci_grad_x_input", "grad_norm", "gradient_norm")
Cues = Mapping[int, Mapping[int, float]]  # position -> source_position -> score


@dataclass(frozen=True)
class Reading:
    """cues: answer token -> [n] CCI over the prompt's tokens inside documents; owner: [n] their parts."""

    generation: Generation
    tokens: list[Token]
    parts: list[Part]
    inside: list[PromptToken]  # [n]
    owner: list[int]
    cti: dict[str, Floats]  # preset -> [A]
    cues: dict[int, Floats]
    sentences: tuple[int, ...]  # [A] of every token
    ablations: list[dict[str, Any]]
    measures: list[Measure]
    notices: list[str]

    @property
    def documents(self) -> list[Part]:
        return [part for part in self.parts if part.kind == "document"]

    def sensitive(self, deviations: float, preset: str = "paper") -> list[int]:
        return list(sensitive(self.cti[preset], deviations))

    def citations(self, chosen: list[int], preset: str, k: int) -> list[Citation]:
        """Live citations from the sensitive tokens `chosen`, every document; k: which cues, where the preset asks."""
        cues = {token: self.cues[token] for token in chosen if token in self.cues}
        return list(cite_cues(cues, self.owner, self.sentences, rule(preset, k), most=len(self.parts)))

    def cues_of(self, chosen: list[int], preset: str, k: int) -> Floats:
        """[n] kept cues, summed over tokens, each token's scaled to 1."""
        total = np.zeros(len(self.inside))
        for token in chosen:
            kept = kept_cues(self.cues.get(token, np.zeros(len(self.inside))), rule(preset, k))
            total += kept / kept.sum() if kept.sum() > 0 else 0.0
        return total

    def owed(self, span: Sequence[int] | None) -> dict[str, dict[int, float]]:
        """method -> part -> nats that a span (None: the whole answer) owes to it: fitted from stored ablations."""
        numbers = [part.part for part in self.documents]
        scores = span_scores(stored_ablations(self.ablations), span)
        return {method: dict(zip(numbers, each.tolist(), strict=True)) for method, each in scores.items()}


def rule(preset: str, k: int) -> Settings:
    """The preset with the analyst's cues; inseq's has a rule of its own."""
    return replace(PRESETS[preset], cues=k)


def read(snapshot: Snapshot, generation: Generation) -> Reading:
    """Everything that is stored about one answer from documents; empty where a method was not run."""
    of = generation.generation_id
    methods = prompts.saliency_methods(snapshot, of)
    method = next((each for each in CUES if each in methods), "")
    return reading(
        generation,
        answers.tokens(snapshot, of),
        answers.prompt_parts(snapshot, generation.prompt_id),
        answers.prompt_tokens(snapshot, generation.model.tokenizer_id, generation.prompt_id),
        prompts.saliency_rows(snapshot, of, method) if method else {},
        prompts.ablations(snapshot, of),
        prompts.measures(snapshot, of),
        answers.notices(snapshot, of),
    )


def reading(
    generation: Generation,
    tokens: list[Token],
    parts: list[Part],
    read_by: Iterable[PromptToken],
    cues: Cues,
    ablations: list[dict[str, Any]],
    measures: list[Measure],
    notices: list[str],
) -> Reading:
    """From rows, of the database or of the worker's answer."""
    documents = {part.part for part in parts if part.kind == "document"}
    inside = [token for token in read_by if token.part in documents]
    missing = float("nan")
    return Reading(
        generation=generation,
        tokens=tokens,
        parts=parts,
        inside=inside,
        owner=[token.part for token in inside if token.part is not None],
        cti={
            "paper": np.array([missing if t.kl_context is None else t.kl_context for t in tokens], dtype=np.float64),
            "inseq": np.array([missing if t.kl_reversed is None else t.kl_reversed for t in tokens], dtype=np.float64),
        },
        cues={
            position: np.array([scores.get(token.position, 0.0) for token in inside], dtype=np.float64)
            for position, scores in cues.items()
        },
        sentences=token_sentences(generation.text, [(token.start, token.stop) for token in tokens]),
        ablations=ablations,
        measures=measures,
        notices=notices,
    )
