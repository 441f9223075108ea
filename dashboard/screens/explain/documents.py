"""Training documents of the chosen tokens, as cards."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from attribution.normalisers import NORMALISERS
from dashboard.address.bar import choose, open_screen
from dashboard.address.choices import HEATS, SIDES
from dashboard.address.selection import Selection
from dashboard.database.method_names import method_name
from dashboard.database.ranking import Ranked
from dashboard.database.records import Heat, StoredDocument
from dashboard.database.span_records import ANSWER
from dashboard.database.unit import Unit
from dashboard.drawing import render
from dashboard.drawing.document_text import Drawn, by_texts, drawn
from dashboard.drawing.heat import heat_legend
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shading import robust_top
from dashboard.drawing.shapes import Card, Piece
from dashboard.drawing.visible import LONGEST_TEXT
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets import controls
from dashboard.widgets.as_trained import reading_keys
from dashboard.widgets.estimator import choose_estimator
from dashboard.widgets.heading import panel
from dashboard.widgets.scored_card import lost, random_badge, scored_card
from indexer.search.text_index import highlights

SCALES = {name: f"Scale: {each.label}" for name, each in NORMALISERS.items()}
OTHER_HEAT = {  # the one that was chosen is not stored
    "loss_influences": "What learning each token does is not computed here: the shades are by where in the text the "
    "influence comes from.",
    "shares": "Where in the text the influence comes from is not computed here: the shades are by what learning each "
    "token does.",
}
RESOLVED = 1e-3  # of the shares' sizes: less than that is the rounding of float32 in the sum over positions
LONG = 700  # characters beyond which a card that is not selected shows a passage
PASSAGE = 460  # characters of it
LONGEST_CITED = 240  # characters of the prompt, the answer or the document


def show_documents(found: Explanation, selection: Selection) -> None:
    """The switches, then one card per document."""
    panel(
        "Training documents",
        "What one more look at a document would do, predicted from gradients: not the result of training again, "
        "and a document that was not scored is unknown, not without influence.",
    )
    if told := target_note(found):
        render.prose(("note", told))
    if found.estimated:
        st.caption("First estimates over all documents, from the gradient index. The exact scores are on their way.")
    if len(found.runs) > 1:
        choose_estimator(found.runs, found.run, found.best_method)
    if found.ranked or found.runs:
        _choose_side_and_scale(found, selection)
    if not found.ranked:
        _explain_nothing(found, selection)
        return
    high = heat_top(found, selection)
    cards = document_cards(found, selection, high)
    if not cards:
        st.caption("No scored document pushes this way.")
        return
    render.document_list(
        cards,
        key="documents",
        about="Training documents, strongest first",
        keys=reading_keys(cards, found.documents.values()),
        selected=selection.document,
        diverging=selection.tail == "both",
        heat=heat_legend(shown_heat(found, selection), high, found.unit.name) if high else None,
        unheated=unheated(found),
        on_document=lambda document_id: choose(document=document_id),
        on_page=partial(_open_page, found, selection),
    )


def _open_page(found: Explanation, selection: Selection, document_id: str) -> None:
    """Its page, shaded by what it does to this answer, in this size."""
    of = found.generation
    if selection.job:
        open_screen("corpus", document=document_id)
    else:
        size = {"size": of.model.name} if selection.size else {}
        open_screen("corpus", document=document_id, heated=of.generation_id, **size)


def document_cards(found: Explanation, selection: Selection, high: float, longest: int = 0) -> list[Card]:
    """Cards of the documents shown, in their order; high: of `heat_top`. longest: characters of each; 0 for a passage
    of a long one that is not selected."""
    unit = found.unit.name if selection.normaliser == "none" else NORMALISERS[selection.normaliser].unit
    values = {each.document_id: found.value(each, selection.normaliser) for each in found.shown}
    top = max(map(abs, values.values()), default=1.0) or 1.0
    places = decimals(values.values())
    heat = shown_heat(found, selection)
    cards = []
    for each in found.shown:
        document = found.documents.get(each.document_id) or lost(each.document_id)
        short = len(document.text) <= LONG or document.document_id == selection.document
        text = _text(found, each, document, heat, high or 1.0, longest or (LONGEST_TEXT if short else PASSAGE))
        rest = unresolved(each, found.heats.get(each.document_id), found.n_summed, found.unit)
        facts = " · ".join(filter(None, (_facts(found, each), rest)))
        card = scored_card(
            document,
            text,
            values[each.document_id],
            top=top,
            places=places,
            unit=unit,
            facts=facts,
            badges=_badges(found, each),
            unheated=_heat_values(found, each, heat) is None,
        )
        cards.append(replace(card, citation=citation(found, document, card)))
    return cards


def heat_top(found: Explanation, selection: Selection) -> float:
    """Of a token at full colour, in the unit of the list, the same for all cards; 0 where no heat is stored."""
    name = shown_heat(found, selection)
    heats = [_heat_values(found, each, name) for each in found.shown]
    values = [float(abs(v)) for heat in heats if heat is not None for v in heat]
    return robust_top(values) if values else 0.0


def shown_heat(found: Explanation, selection: Selection) -> str:
    """The chosen one; the other where that is stored of none of these documents, as of estimators that only know
    through which position an influence passes."""
    names = (selection.heat, *(name for name in HEATS if name != selection.heat))
    known = (name for name in names if any(_heat_values(found, each, name) is not None for each in found.shown))
    return next(known, selection.heat)


def unheated(found: Explanation) -> str:
    """What it means that the tokens of a document are not shaded."""
    if found.layer is not None:
        return "what each token does is computed for all layers together only, not for the chosen one"
    return "not computed: what each token of this document does"


def _facts(found: Explanation, each: Ranked) -> str:
    if found.n_summed > 1:
        return f"sum over {each.known} of {found.n_summed} tokens" if each.known < found.n_summed else ""
    target = found.target
    return f"rank {each.best_rank:,} of {target.n_scored:,} scored" if target else f"rank {each.best_rank:,}"


def unresolved(each: Ranked, heat: Heat | None, width: int, unit: Unit) -> str:
    """What is missing of the score in its position shares: at a low rank, and in builds older than the full one.

    width: tokens of the span, all of which the score must know.
    """
    if heat is None or not len(heat.shares) or each.known < width:
        return ""
    rest = each.score - float(heat.shares.sum())
    if abs(rest) <= RESOLVED * float(np.abs(heat.shares).sum()):
        return ""
    rest *= unit.factor(each.score)
    return f"{signed(rest, decimals([rest]))} {unit.name} not resolved by position"


def _badges(found: Explanation, each: Ranked) -> tuple[tuple[str, bool], ...]:
    badges = list(copy_badges(found, each.document_id, found.is_influential(each)))
    if found.target is not None:
        against = random_badge(each.score, found.target.null_scores)
        badges += [(f"as a whole {words}", strong) for words, strong in against] if found.layer else against
    via = found.proposers.get(each.document_id, set())
    by_gradient, by_words = bool(via & {"index", "index_cosine"}), "bm25" in via
    if by_gradient and by_words:
        badges.append(("found by gradient and by words", False))
    elif by_gradient:
        badges.append(("found by gradient, not by its words", False))
    elif by_words:
        badges.append(("found by its words", False))
    elif "hidden" in via:
        badges.append(("found by hidden state", False))
    return tuple(badges)


def copy_badges(found: Explanation, document_id: str, influential: bool) -> tuple[tuple[str, bool], ...]:
    """Which of the four cases a document is, where any training text has words of the chosen tokens."""
    if not found.copies.spans:
        return ()
    words = found.copies.documents.get(document_id)
    case = (found.copies.case(document_id, influential), influential and words is not None)
    return (case, (f"contains “{words}”", True)) if words else (case,)


def target_note(found: Explanation) -> list[Piece]:
    """What the documents are ranked for, where that is not one token; [] where nothing is kept."""
    if found.width == 1 or not found.ranked:
        return []
    if found.exact is None:
        why = "These tokens are not one word and not the whole answer" if found.spans else "Several tokens"
        return [
            (f"{why}: sums over the scores that were kept for each token. ", ""),
            ("A document that was kept for some of them only counts with those.", ""),
        ]
    of = found.generation.text[found.exact.start : found.exact.stop]
    what = [("The whole answer", "")] if found.exact.kind == ANSWER else [("The word ", ""), (f"“{of}”", "serif")]
    return [*what, (" as one target: every document was scored for all of its tokens together.", "")]


def _heat_values(found: Explanation, each: Ranked, name: str) -> np.ndarray | None:
    """In the unit of the list; None where they are not computed, as of a single layer."""
    if found.layer is not None:
        return None
    heat = found.heats.get(each.document_id)
    if heat is None:
        return None
    values = heat.loss_influences if name == "loss_influences" else heat.shares
    known = len(values) == len(heat.texts) and len(values)
    return found.unit.parts(values, each.score) if known else None


def _text(found: Explanation, each: Ranked, document: StoredDocument, name: str, high: float, longest: int) -> Drawn:
    """The document's text with its heat; the plain text, where the answer's words stand, where none is stored."""
    heat, read = found.heats.get(document.document_id), found.read.get(document.document_id)
    values = _heat_values(found, each, name)
    if heat is not None and values is not None and (read is None or len(read) != len(values)):
        return by_texts(document, heat.texts, values.tolist(), high, longest)
    if values is not None:
        return drawn(document, read, values.tolist(), high, longest)
    asked = "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])
    return drawn(document, read, None, high, longest, partial(highlights, query=asked))


def _choose_side_and_scale(found: Explanation, selection: Selection) -> None:
    has_heat = bool(found.heats)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        controls.switch("tail", SIDES)
        with st.container(horizontal=True, width=430 if has_heat else 215):
            if has_heat:
                controls.one_of("heat", HEATS, quiet=True, shown=shown_heat(found, selection))
            controls.one_of("normaliser", SCALES, quiet=True)
    if has_heat and shown_heat(found, selection) != selection.heat:
        st.caption(OTHER_HEAT[selection.heat])


def _explain_nothing(found: Explanation, selection: Selection) -> None:
    if selection.normaliser == "cosine" and found.n_summed > 1:
        st.caption(
            "The cosine is defined for one target. Choose a token, a word or the whole answer, or another scale."
        )
    elif selection.job:
        st.caption(
            "Of a new prompt, only the answer and its saliency are known so far; its documents are not computed."
        )
    elif found.run is None:
        st.caption("This model has no influence run in this database.")
    else:
        st.caption("No influence is stored for this token. It is unknown, which is not the same as zero.")


def scale_note(found: Explanation, selection: Selection) -> str:
    """What the chosen scale means, for the caption under the list."""
    return found.unit.meaning if selection.normaliser == "none" else NORMALISERS[selection.normaliser].meaning


def citation(found: Explanation, document: StoredDocument, card: Card) -> str:
    """In a few sentences, on one line; the address of the page follows it."""
    generation = found.generation
    words = "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])
    what = "The answer" if found.whole else f"“{_short(words)}” in the answer"
    where = "; ".join(filter(None, (document.where, f"document {document.document_id}")))
    amount = f"{card.score} % of the strongest document listed" if card.unit == "%" else f"{card.score} {card.unit}"
    by = f", by {method_name(found.run.method)} (run {found.run.run_id})" if found.run else ""
    told = ", ".join(filter(None, (amount.strip(), card.facts)))
    return (
        f"{what} “{_short(generation.text)}” of {generation.model.name} to “{_short(generation.prompt)}”: training "
        f"document “{_short(document.title) or 'untitled'}” ({where}), “{_short(document.text)}”. {told}{by}. Whence,"
    )


def _short(text: str) -> str:
    """On one line, and no longer than LONGEST_CITED."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_CITED else f"{line[: LONGEST_CITED - 1]}…"
