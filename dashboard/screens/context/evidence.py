"""An answer from documents, with all that is stored about its context; thresholds and spans change without a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attribution.prompt.saliency.method import cues
from attribution.prompt.stored import (
    DocumentSentence,
    document_sentences,
    sentence_scores,
    span_scores,
    stored_ablations,
)
from attribution.prompt.text.written import unnamed
from dashboard.database.kept.answer import KeptAnswer
from dashboard.database.records import Generation, Measure, PromptPart, PromptToken, Token
from dashboard.screens.context.citing import Citation, Floats, cite, kept_cues, sensitive
from dashboard.screens.context.sentences import sentence_of

CUES = cues()


@dataclass(frozen=True)
class Reading:
    """cues: answer token -> [n] CCI over the prompt's tokens inside documents; owner: [n] their parts."""

    generation: Generation
    tokens: list[Token]
    parts: list[PromptPart]
    inside: list[PromptToken]  # [n]
    owner: list[int]
    cti: dict[str, Floats]  # preset -> [A]
    cues: dict[int, Floats]
    sentence: dict[int, int]
    ablations: list[dict[str, Any]]
    measures: list[Measure]
    notices: list[str]

    @property
    def documents(self) -> list[PromptPart]:
        return [part for part in self.parts if part.kind == "document"]

    @property
    def question(self) -> str:
        """What was asked, without the documents; of a conversation what was asked last."""
        return next((self.words(part) for part in reversed(self.parts) if part.kind == "question"), "")

    @property
    def asked(self) -> tuple[str, list[tuple[str, str]]] | None:
        """A question and its documents (title, text), to be asked again; None of a conversation, in which more is said
        than that and the instruction."""
        kinds = [part.kind for part in self.parts]
        if kinds.count("question") != 1 or kinds.count("system") > 1:
            return None
        titles = ["" if part.title == unnamed(i) else part.title for i, part in enumerate(self.documents, start=1)]
        return self.question, [(title, self.words(part)) for title, part in zip(titles, self.documents, strict=True)]

    def words(self, part: PromptPart) -> str:
        """What a part of the prompt says."""
        return self.generation.prompt[part.start : part.stop]

    @property
    def names(self) -> dict[int, str]:
        """part -> title of a document of the prompt."""
        return {part.part: part.title or unnamed(i) for i, part in enumerate(self.documents, start=1)}

    @property
    def document_sentences(self) -> tuple[DocumentSentence, ...]:
        """[S] the sentences of the prompt's documents, in reading order."""
        return document_sentences(self.generation.prompt, self.parts)

    def positions_of(self, sentence: int) -> list[int]:
        """The tokens of a sentence of the answer."""
        return sorted(position for position, number in self.sentence.items() if number == sentence)

    def share_in(self, token: int, part: int | None, k: int | None) -> float:
        """Share of a token's kept cues that lie in one document."""
        kept = kept_cues(self.cues.get(token, np.zeros(len(self.inside))), k)
        inside = np.array([owner == part for owner in self.owner], dtype=bool)
        return float(kept[inside].sum() / kept.sum()) if kept.sum() > 0 else 0.0

    def sensitive(self, deviations: float, preset: str = "paper") -> list[int]:
        return sensitive(self.cti[preset], deviations, preset)

    def citations(self, chosen: list[int], k: int | None, preset: str = "paper") -> list[Citation]:
        """Live citations from the sensitive tokens `chosen`; k: as in `citing`."""
        cues = {token: self.cues[token] for token in chosen if token in self.cues}
        return cite(cues, self.owner, self.sentence, k, preset)

    def cues_of(self, chosen: list[int], k: int | None) -> Floats:
        """[n] kept cues, summed over tokens, each token's scaled to 1."""
        total = np.zeros(len(self.inside))
        for token in chosen:
            kept = kept_cues(self.cues.get(token, np.zeros(len(self.inside))), k)
            total += kept / kept.sum() if kept.sum() > 0 else 0.0
        return total

    def owed(self, span: Sequence[int] | None) -> dict[str, dict[int, float]]:
        """method -> part -> nats that a span (None: the whole answer) owes to it: fitted from stored ablations."""
        numbers = [part.part for part in self.documents]
        scores = span_scores(stored_ablations(self.ablations), span)
        return {method: dict(zip(numbers, each.tolist(), strict=True)) for method, each in scores.items()}

    def owed_to_sentences(self, span: Sequence[int] | None) -> dict[str, Floats]:
        """method -> [S] nats that a span (None: the whole answer) owes to each of `document_sentences`; {} where these
        were not left out."""
        n = len(self.document_sentences)
        scores = sentence_scores(stored_ablations(self.ablations), span)
        return {method: each for method, each in scores.items() if len(each) == n}

    def owed_by_sentence(self) -> dict[str, list[Citation]]:
        """method -> what every sentence owes to every document; its share is in nats here."""
        found: dict[str, list[Citation]] = {}
        for number in sorted(set(self.sentence.values())):
            for method, scores in self.owed(self.positions_of(number)).items():
                found.setdefault(method, []).extend(Citation(number, part, score) for part, score in scores.items())
        return found


def read(answer: KeptAnswer) -> Reading:
    """Everything that is known of one answer from documents; empty where a method was not run, or not yet."""
    methods = answer.saliency_methods()
    method = next((each for each in CUES if each in methods), "")
    cues = answer.saliency_rows(method) if method else {}
    tokens, parts = answer.tokens(), answer.parts()
    documents = {part.part for part in parts if part.kind == "document"}
    inside = [token for token in answer.prompt_tokens() if token.part in documents]
    missing = float("nan")
    change, reversed_change = (
        np.array([missing if kl is None else kl for kl in column], dtype=np.float64)
        for column in ([t.kl_context for t in tokens], [t.kl_reversed for t in tokens])
    )
    return Reading(
        generation=answer.generation,
        tokens=tokens,
        parts=parts,
        inside=inside,
        owner=[token.part for token in inside if token.part is not None],
        cti={"paper": change, "shares": change, "inseq": reversed_change},
        cues={
            position: np.array([scores.get(token.position, 0.0) for token in inside], dtype=np.float64)
            for position, scores in cues.items()
        },
        sentence=sentence_of(tokens, answer.generation.text),
        ablations=answer.ablations(),
        measures=answer.measures(),
        notices=answer.notices(),
    )
