"""Shapes as our components take them: JSON, with all text from outside made visible and cut."""

import re
from collections.abc import Sequence
from typing import Any

from dashboard.drawing.numbers import decimals, percent, plain, signed
from dashboard.drawing.shapes import (
    LABELS,
    Answer,
    Card,
    CitedLine,
    Heated,
    JoinedRow,
    Legend,
    PromptRow,
    SizeToken,
    StripToken,
)
from dashboard.drawing.visible import LONGEST_TEXT, cut, is_special, one_line, visible, visible_token

LONGEST_TURN = 600  # characters of a turn of a prompt in a table


def strip_token_data(token: StripToken) -> dict[str, Any]:
    shown = visible_token(token.text) or "end of text"  # a tokenizer's own tokens spell nothing
    return {
        "text": shown,
        "v": token.amount,
        "signed": token.signed,
        "sign": token.sign,
        "note": token.words,
        "special": not token.text or is_special(token.text.strip()),
        "role": visible_token(token.role),
        "template": token.template,
        "copied": token.copied,
        "unknown": token.unknown,
    }


def card_data(card: Card, heat: Legend | None = None) -> dict[str, Any]:
    """heat: the scale of the pieces; each of them says its value on it."""
    drawn, whole = _pieces_data(card.pieces, heat, LONGEST_TEXT)
    lines = []
    for line in card.lines:
        of_line, length = _pieces_data(line.pieces, heat, LONGEST_TEXT - whole)
        measure = {"said": line.said, "bar": line.bar, "words": line.words}
        lines += [of_line | measure] if whole < LONGEST_TEXT else []
        whole += length
    title, measured = visible_token(card.title), f"{card.score} {card.unit}".strip()
    cut = f"Cut: the first {LONGEST_TEXT:,} of {whole:,} characters." if whole > LONGEST_TEXT else ""
    return {
        "id": card.document_id,
        "title": title,
        "where": visible_token(card.where),
        "name": ", ".join(filter(None, (title or "untitled", visible_token(card.where), measured, card.facts))),
        "score": card.score,
        "unit": card.unit,
        "hue": card.hue,
        "bar": card.bar,
        "facts": _unbroken(card.facts),
        **drawn,
        "lines": lines,
        "badges": [{"text": visible_token(text), "strong": strong} for text, strong in card.badges],
        "before": left_out(card.before, "before"),
        "after": left_out(card.after, "after"),
        "unsigned": card.unsigned,
        "unheated": card.unheated,
        "citation": visible(card.citation),
        "notice": " ".join(part for part in (card.notice, cut) if part),
    }


def _unbroken(said: str) -> str:
    """A number and its unit stay on one line of a narrow column."""
    return re.sub(r"(?<=\d) (?=%|nats)", "\u00a0", said)


def _pieces_data(pieces: Sequence[Heated], heat: Legend | None, left: int) -> tuple[dict[str, Any], int]:
    """The first characters of a text, and how many it has."""
    drawn: dict[str, list[Any]] = {"pieces": [], "told": [], "kinds": []}
    whole = 0
    for text, amount, kind in pieces:
        if kind not in LABELS:
            whole += len(text)
        if left > 0:
            v = max(-1.0, min(1.0, amount)) if isinstance(amount, float) else amount
            drawn["pieces"].append((visible_token(text) if kind in LABELS else visible(text[:left]), v))
            drawn["told"].append(_value(amount, heat) if isinstance(amount, float) and heat else "")
            drawn["kinds"].append(kind)
            left -= 0 if kind in LABELS else len(text)
    return drawn, whole


def left_out(n: int, where: str) -> str:
    """How much of a text is not shown, before or after what is; '' for nothing."""
    return "" if not n else f"{n:,} character{'' if n == 1 else 's'} {where}"


def _value(amount: float, heat: Legend) -> str:
    """What stands for 1 on the scale, times the amount."""
    places = decimals([heat.top])
    value = amount * heat.top
    return f"{signed(value, places) if heat.signed else plain(value)} {heat.unit}".strip()


def line_data(line: CitedLine) -> dict[str, Any]:
    def drawn(found: Sequence[tuple[int, str, str]]) -> list[dict[str, Any]]:
        return [{"part": part, "name": visible_token(name), "said": visible_token(said)} for part, name, said in found]

    return {"text": visible(line.text[:LONGEST_TEXT]), "cited": drawn(line.cited), "others": drawn(line.others)}


def answer_data(answer: Answer) -> dict[str, Any]:
    pieces = [(visible_token(text), marked) for text, marked in answer.pieces]
    verdict = {True: "right, ", False: "wrong, ", None: ""}[answer.right]
    known = f"best document {answer.known}" if answer.known else ""
    share = "" if answer.share is None else f"{percent(answer.share)} of its bits from the prompt"
    owed = visible_token(answer.owed)
    about = ", ".join(part for part in (verdict.removesuffix(", "), share, known, owed) if part)
    return {
        "id": answer.generation_id,
        "pieces": pieces,
        "right": answer.right,
        "source": visible_token(answer.source),
        "share": share,
        "owed": owed,
        "passes": answer.passes,
        "said": ": ".join(part for part in (visible_token(answer.size), about) if part),
        "name": f"{visible_token(answer.size)}, {verdict}{''.join(text for text, _ in pieces)[:200]}"
        f"{''.join(f', {each}' for each in (share, known, owed) if each)}: explain",
    }


def prompt_row_data(row: PromptRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "turns": [(visible_token(role), cut(words, LONGEST_TURN)[0]) for role, words in row.turns],
        "about": visible_token(row.about),
        "columns": [{"name": each.name, "shown": visible_token(each.shown)} for each in row.columns],
        "answers": [answer_data(answer) if answer else None for answer in row.answers],
    }


def joined_row_data(row: JoinedRow) -> dict[str, Any]:
    return {
        "id": row.document.document_id,
        "title": visible_token(row.document.title),
        "where": visible_token(row.document.where),
        "text": cut(row.passage, 400)[0],
        "shared": sum(not isinstance(cell, str) for cell in row.cells) > 1,
        "cells": [
            {"none": one_line(visible_token(cell))}
            if isinstance(cell, str)
            else {
                "rank": cell[0],
                "share": cell[1],
                "said": percent(cell[1]),
                "words": f"rank {cell[0]}, {percent(cell[1])} of what its ten carry",
            }
            for cell in row.cells
        ],
    }


def size_token_data(token: SizeToken, size: str) -> dict[str, Any]:
    shown = visible_token(token.text) or "end of text"
    read_aloud = one_line(shown)
    said = "" if token.probability is None else f", probability {percent(token.probability)}"
    said += "" if token.share is None else f", {percent(token.share)} from the prompt"
    return {
        "text": one_line(shown),
        "special": not token.text or is_special(token.text.strip()),
        "probability": token.probability,
        "share": token.share,
        "fork": one_line(visible_token(token.fork)) if token.fork else "",
        "off": token.off,
        "name": f"{visible_token(size)}: {read_aloud}{said}{f', {visible_token(token.fork)}' if token.fork else ''}",
    }
