"""What a prompt's foil stands against in an answer: each token by itself, or a span of tokens as a whole.

one token, no span    log p(y_k) − log p(foil) for every token of the answer
otherwise             log p(span) − log p(foil), both as a whole and given what stands before the span: one number, with
                      which every token of the span is shown; the other tokens are explained without a foil
"""

from dataclasses import dataclass

from attribution.loading.load import LoadedModel
from indexer.size.answers import Answer
from indexer.size.rendered import check_span, joined_foil, single_foil


@dataclass(frozen=True)
class Foil:
    ids: tuple[int, ...]
    span: range | None  # answer positions; None: each token by itself, against the one id

    @property
    def token(self) -> int | None:
        """The one id, where it stands against each token."""
        return self.ids[0] if self.span is None else None


@dataclass(frozen=True)
class Instead:
    """The text before a span, and the foil in its place, as rows of the index are asked about."""

    ids: tuple[int, ...]
    first: int

    @property
    def n_targets(self) -> int:
        return len(self.ids) - self.first


def foil_of(answer: Answer, loaded: LoadedModel) -> Foil | None:
    """None for a prompt without a foil. Without `foil_of` the span is the whole answer, less the token that ends it.

    Raises BadInput for a span that the answer does not hold.
    """
    prompt, made = answer.prompt, answer.generation
    if prompt.foil is None:
        return None
    alone = single_foil(prompt, loaded)
    if alone is not None:
        return Foil((alone,), None)
    ended = len(made.ids) > 1 and made.ids[-1] in loaded.specials.stops
    span = range(len(made.ids) - ended)
    if prompt.foil_of is not None:
        check_span(prompt, made.text)
        start = made.text.index(prompt.foil_of)
        stop = start + len(prompt.foil_of)
        inside = [k for k, (a, b) in enumerate(made.spans) if a < stop and b > start]
        span = range(inside[0], inside[-1] + 1)
    before = prompt.text + made.text[: made.spans[span.start][0]]
    return Foil(joined_foil(prompt, before, loaded, loaded.context - answer.first - span.start), span)


def held_foil_of(answer: Answer, loaded: LoadedModel) -> Foil | None:
    """The same of an answer of a build, whose sizes may each write other words: none where its span is not held."""
    return foil_of(answer, loaded) if answer.prompt.contrasts(answer.generation.text) else None


def instead(answer: Answer, foil: Foil) -> Instead:
    """The foil as what the model might have written from the beginning of the span on."""
    assert foil.span is not None  # noqa: S101 - one token against each has no place of its own
    first = answer.first + foil.span.start
    return Instead((*answer.ids[:first], *foil.ids), first)


def in_words(answer: Answer, foil: Foil) -> str:
    """What is contrasted, for a reader."""
    if foil.span is None:
        return f"why each token and not {answer.prompt.foil!r}"
    spans = answer.generation.spans
    said = answer.generation.text[spans[foil.span.start][0] : spans[foil.span[-1]][1]]
    return f"why {said!r} and not {answer.prompt.foil!r}, each as a whole: the same for every token of it"
