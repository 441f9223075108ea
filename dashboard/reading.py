"""An answer from documents, with all that is stored about its context; thresholds are applied without a model."""

from dataclasses import dataclass

import numpy as np

from dashboard.citing import Citation, Floats, cite, kept_cues, sensitive
from dashboard.queries import answers, prompts
from dashboard.queries.rows import Snapshot
from dashboard.records import Generation, Part, PromptToken, Token
from dashboard.sentences import sentence_of

CUES = ("mirage_norm", "mirage_grad_x_input", "cci_norm", "cci_grad_x_input", "grad_norm", "gradient_norm")


@dataclass(frozen=True)
class Reading:
    """cues: answer token -> [n] CCI over the prompt's tokens inside documents; owner: [n] their parts."""

    generation: Generation
    tokens: list[Token]
    parts: list[Part]
    inside: list[PromptToken]  # [n]
    owner: list[int]
    cti: Floats  # [A]
    cues: dict[int, Floats]
    method: str
    sentence: dict[int, int]
    stored: dict[str, list[Citation]]  # method -> citations

    @property
    def documents(self) -> list[Part]:
        return [part for part in self.parts if part.kind == "document"]

    def sensitive(self, deviations: float) -> list[int]:
        return sensitive(self.cti, deviations)

    def citations(self, chosen: list[int], k: int) -> list[Citation]:
        """Live citations from the sensitive tokens `chosen`."""
        return cite({token: self.cues[token] for token in chosen if token in self.cues}, self.owner, self.sentence, k)

    def cues_of(self, chosen: list[int], k: int) -> Floats:
        """[n] kept cues, summed over tokens, each token's scaled to 1."""
        total = np.zeros(len(self.inside))
        for token in chosen:
            kept = kept_cues(self.cues.get(token, np.zeros(len(self.inside))), k)
            total += kept / kept.sum() if kept.sum() > 0 else 0.0
        return total


def read(snapshot: Snapshot, generation: Generation) -> Reading:
    """Everything that is stored about one answer from documents; empty where a method was not run."""
    tokens = answers.tokens(snapshot, generation.generation_id)
    parts = answers.prompt_parts(snapshot, generation.prompt_id)
    read_by = answers.prompt_tokens(snapshot, generation.model.tokenizer_id, generation.prompt_id)
    inside, owner = [], []
    for token in read_by:
        part = next((p for p in parts if p.kind == "document" and p.start <= token.start < token.stop <= p.stop), None)
        if part is not None:
            inside.append(token)
            owner.append(part.part)
    methods = prompts.saliency_methods(snapshot, generation.generation_id)
    method = next((each for each in CUES if each in methods), "")
    rows = prompts.saliency_rows(snapshot, generation.generation_id, method) if method else {}
    cues = {
        position: np.array([scores.get(token.position, 0.0) for token in inside], dtype=np.float64)
        for position, scores in rows.items()
    }
    stored: dict[str, list[Citation]] = {}
    for row in prompts.citations(snapshot, generation.generation_id):
        stored.setdefault(row["method"], []).append(Citation(row["sentence"], row["part"], row["score"]))
    missing = float("nan")
    cti = np.array([missing if t.kl_context is None else t.kl_context for t in tokens], dtype=np.float64)
    return Reading(
        generation, tokens, parts, inside, owner, cti, cues, method, sentence_of(tokens, generation.text), stored
    )
