"""EDGE: reads our style sheets. Explain as one file of HTML: no script, no request, the same numbers, escaped text."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from attribution.prompt.saliency.method import label, methods
from dashboard.address.selection import Selection
from dashboard.database.layer_groups import group_scores
from dashboard.database.unit import shown_layers
from dashboard.drawing.heat import heat_legend
from dashboard.drawing.numbers import decimals, signed, two_places
from dashboard.drawing.payload import left_out
from dashboard.drawing.render import markup
from dashboard.drawing.shapes import LABELS, Card, Heated, Legend, Piece, StripToken
from dashboard.drawing.visible import LONGEST_TEXT
from dashboard.export.html import document
from dashboard.screens.explain.answer import UNDERLINED, answer_strip, prompt_strip, shading_of
from dashboard.screens.explain.documents import document_cards, heat_top, scale_note, shown_heat, target_note
from dashboard.screens.explain.explanation import Explanation
from dashboard.screens.explain.word_for_word import cases_line, copied_cards, span_lines
from dashboard.widgets.as_trained import reading_keys
from dashboard.widgets.group_bars import group_bars

_COMPONENTS = Path(__file__).parents[2] / "drawing" / "components"


def explained_page(found: Explanation, selection: Selection, link: str = "") -> bytes:
    """The page, UTF-8.    link: back to the view, '' where it is not known"""
    generation = found.generation
    prompt, saliency = prompt_strip(found, selection)
    shading = shading_of(found, selection)
    answer = answer_strip(found.tokens, shading, found.verbatim or ())
    words = "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])
    about = "the whole answer" if found.whole else f"“{words}”"
    high = heat_top(found, selection)
    cards = document_cards(found, selection, high, LONGEST_TEXT)
    keys = reading_keys(cards, found.documents.values())
    run = f"run {found.run.run_id} ({found.run.method}, damping {found.run.damping:g})" if found.run else "no run"
    body = [
        "<h1>Whence this token?</h1>",
        f"<p class='note'>{markup(generation.model.name)} · {markup(run)} · {datetime.now(UTC):%d %B %Y}</p>",
        f"<p class='note'>{markup(link)}</p>" if link else "",
        "<div class='strip'><div class='row prompt-row'><div class='name'>Prompt</div>",
        f"<div class='text prompt'>{_tokens(prompt)}</div></div>",
        "<div class='row'><div class='name'>Answer</div>",
        f"<div class='text answer'>{_tokens(answer, found)}</div></div></div>",
        *(f"<p class='note'>{markup(_scale(each))}</p>" for each in (saliency, shading.legend) if each),
        f"<p class='note'>Underlined: {UNDERLINED}.</p>" if found.verbatim else "",
        f"<h2>Training documents of {markup(about)}</h2>",
        f"<p class='note'>{markup(scale_note(found, selection))}</p>",
        _note(target_note(found)),
        f"<p class='note'>{markup(_scale(heat_legend(shown_heat(found, selection), high, found.unit.name)))}</p>"
        if high
        else "",
        f"<div class='list'>{''.join(map(_card, cards))}</div>",
        f"<p class='note'>{markup('. '.join(keys))}.</p>" if keys else "",
        _copies(found),
        _groups(found),
        _layers(found),
        _bits(found),
        _saliency(found),
    ]
    style = "".join(_css(name) for name in ("token_strip/token_strip", "document_list/document_list"))
    return document("".join(body), style, f"{about} by {generation.model.name}")


def _css(name: str) -> str:
    return _COMPONENTS.joinpath(f"{name}.css").read_text(encoding="utf-8")


def _tokens(tokens: Sequence[StripToken], found: Explanation | None = None) -> str:
    made = []
    for i, token in enumerate(tokens):
        hue = "" if token.amount is None else "cool" if token.amount < 0 else "warm" if token.signed else "strength"
        chosen = found is not None and not found.whole and found.span[0] <= i <= found.span[1]
        attributes = f" data-hue='{hue}' style='--v:{abs(token.amount or 0):.3f}'" if hue else ""
        attributes += " aria-selected='true'" if chosen else ""
        made.append(f"<span class='role'>{markup(token.role)}</span>" if token.role else "")
        kind = f"token{' template' if token.template else ''}{' copied' if token.copied else ''}"
        made.append(f"<span class='{kind}'{attributes} title='{markup(token.words)}'>{markup(token.text)}</span>")
    return "".join(made)


def _card(card: Card) -> str:
    pieces = "".join(map(_piece, card.pieces))
    badges = "".join(f"<span class='badge'>{markup(text)}</span>" for text, _ in card.badges)
    notice = f"<div class='notice'>{markup(card.notice)}</div>" if card.notice else ""
    before, after = (
        f"<div class='more'>… {words}</div>" if words else ""
        for words in (left_out(card.before, "before"), left_out(card.after, "after"))
    )
    score = (
        f"<div class='measure'><div class='score' data-hue='{markup(card.hue)}'>{markup(card.score)}"
        f"<span class='unit'> {markup(card.unit)}</span></div><div class='facts'>{markup(card.facts)}</div></div>"
    )
    return (
        f"<div class='card{'' if card.score else ' plain'}'>{score if card.score else ''}"
        f"<div class='body'><div class='head'><span class='title'>{markup(card.title)}</span>"
        f"<span class='where'>{markup(card.where)}</span></div>{before}<p class='text'>{pieces}</p>{after}"
        f"{notice}<div class='badges'>{badges}</div></div></div>"
    )


def _piece(piece: Heated) -> str:
    """As the component draws it; kinds are words of ours."""
    if piece.kind in LABELS:
        return f"<span class='{piece.kind}'>{markup(piece.text)}</span>"
    hue = value = ""
    if isinstance(piece.amount, float):
        hue = f" data-hue='{'cool' if piece.amount < 0 else 'warm'}'"
        value = f" style='--v:{min(abs(piece.amount), 1.0):.3f}'"
    elif piece.amount == "mark":
        hue = " data-hue='mark'"
    if not (hue or piece.kind):
        return markup(piece.text)
    return f"<span class='token {piece.kind}'{hue}{value}>{markup(piece.text)}</span>"


def _scale(legend: Legend) -> str:
    """A scale of colour in words, for which the page has no room to draw."""
    return f"{legend.name} from {legend.low} to {legend.high}."


def _bits(found: Explanation) -> str:
    """What the prompt saved, token by token; nothing where it was not measured."""
    tokens = [each for each in found.tokens if each.bits_nothing is not None and each.bits_full is not None]
    if not tokens:
        return ""
    names = ("Token", "Without the prompt", "Saved by the question", "Saved by its documents", "Still surprising")
    rows = [
        (
            each.text or "end of text",
            *(
                "not known" if bits is None else two_places(bits)
                for bits in (each.bits_nothing, each.bits_question, each.bits_documents, each.bits_full)
            ),
        )
        for each in tokens
    ]
    return f"<h2>Bits of surprise that the prompt saved</h2>{_table(names, rows)}"


def _saliency(found: Explanation) -> str:
    """Each token of the prompt with its saliency for the chosen ones, as a share of the strongest."""
    known = [(each, found.saliency[each.position]) for each in found.prompt_tokens if each.position in found.saliency]
    top = max((abs(value) for _, value in known), default=0.0)
    if not top:
        return ""
    rows = [(each.text, signed(value / top, 2)) for each, value in known if each.stop > each.start]
    name = label(found.saliency_method) if found.saliency_method in methods() else found.saliency_method
    note = f"By {name}; the strongest token is 1."
    return f"<h2>Saliency of the prompt</h2><p class='note'>{markup(note)}</p>{_table(('Token', 'Saliency'), rows)}"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{markup(name)}</th>" for name in names)
    lines = "".join(f"<tr>{''.join(f'<td>{markup(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _note(pieces: Sequence[Piece]) -> str:
    return f"<p class='note'>{markup(''.join(text for text, _ in pieces))}</p>" if pieces else ""


def _copies(found: Explanation) -> str:
    if not found.copies.spans:
        return ""
    cards = "".join(map(_card, copied_cards(found)))
    lines = "".join(map(_note, span_lines(found)))
    return (
        f"<h2>Word for word</h2>{lines}<p class='note'>{markup(cases_line(found))}</p><div class='list'>{cards}</div>"
    )


def _groups(found: Explanation) -> str:
    """Every group, a table a column."""
    tables = []
    for column in dict.fromkeys(each.column_name for each in found.whole_groups if each.column_name):
        of = found.group_unit.groups([each for each in found.whole_groups if each.column_name == column])
        rows = "".join(f"<tr><td>{markup(bar.name)}</td><td>{markup(bar.said)}</td></tr>" for bar in group_bars(of))
        tables.append(f"<h2>Whole groups by {markup(column)}, {found.group_unit.name}</h2><table>{rows}</table>")
    return "".join(tables)


def _layers(found: Explanation) -> str:
    total = shown_layers(found.shown, found.unit)
    if not found.groups or total.size != sum(len(group.members) for group in found.groups):
        return ""
    amounts = group_scores(found.groups, total)
    places = decimals(amounts)
    rows = "".join(
        f"<tr><td>{markup(group.label)}</td><td>{signed(float(amount), places)} {found.unit.name}</td></tr>"
        for group, amount in zip(found.groups, amounts, strict=True)
    )
    return f"<h2>Layers of these documents</h2><table>{rows}</table>"
