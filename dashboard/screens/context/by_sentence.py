"""What every sentence of an answer cites, and what is attributed to it without being cited. No widget here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.screens.context.citing import Citation

MOST_CITED = 3  # documents a sentence cites


@dataclass(frozen=True)
class CitedSentence:
    """`others`: what stands behind the third place, or what another method (named) puts first for the sentence."""

    text: str
    cited: list[Citation]
    others: list[tuple[Citation, str]]  # citation, method: "" for the sliders'


def cited_sentences(
    texts: Sequence[str], live: Sequence[Citation], stored: Mapping[str, Sequence[Citation]]
) -> list[CitedSentence]:
    """`live` and `stored` hold the citations of all sentences, best first."""
    made = []
    for number, text in enumerate(texts):
        mine = [each for each in live if each.sentence == number]
        cited = mine[:MOST_CITED]
        others: dict[int, tuple[Citation, str]] = {each.part: (each, "") for each in mine[MOST_CITED:]}
        for method, found in stored.items():
            of_sentence = [each for each in found if each.sentence == number and each.share > 0]
            best = max(of_sentence, key=lambda each: each.share, default=None)
            if best is not None and best.part not in {each.part for each in cited}:
                others.setdefault(best.part, (best, method))
        made.append(CitedSentence(text, cited, list(others.values())))
    return made
