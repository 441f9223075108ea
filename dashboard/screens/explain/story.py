"""What is seen, in a sentence or two made from the numbers: what was written, and which document made it likely."""

import re

import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.address.selection import Selection
from dashboard.database.ranking import Ranked, among_random
from dashboard.database.records import Generation, StoredDocument
from dashboard.drawing import render
from dashboard.drawing.shapes import Piece
from dashboard.drawing.visible import cut, visible
from dashboard.screens.explain.answer import offer_targets
from dashboard.screens.explain.explanation import Explanation
from indexer.corpus.shapes.columns import ROLES

_SPEAKER = re.compile(rf"^(?:{'|'.join(ROLES)}): ")
LONGEST = 160  # characters of what is quoted
OTHERS = 4  # sizes that are quoted
CHANGED = {  # (side of the list, whether the document pushes towards the answer) -> what it did
    ("towards", True): "made {} most likely",
    ("away", False): "speaks against {} most",
    ("both", True): "changes {} most, towards it,",
    ("both", False): "changes {} most, away from it,",
}


def show_story(found: Explanation, selection: Selection) -> None:
    """The sentences, and the ways to a larger target and to the other sizes."""
    blocks = [("fact", written(found)), ("fact", driven(found, selection)), ("fact", elsewhere(found))]
    with st.container(horizontal=True, vertical_alignment="bottom", key="story"):
        render.prose(*[block for block in blocks if block[1]])
        offer_targets(found)
        if len(found.siblings) > 1:
            st.button(
                "Compare the sizes",
                on_click=lambda: open_screen("compare"),
                type="tertiary",
                icon=":material/compare_arrows:",
            )


def written(found: Explanation) -> list[Piece]:
    """atlas-m wrote “Lima”, as expected.   atlas-s wrote “Aendas”, which is wrong: “Lima” was expected."""
    of = found.generation
    said: list[Piece] = [(visible(of.model.name), "strong"), (" wrote ", ""), *quoted(of.text)]
    if of.right is None:
        return [*said, (".", "")]
    if of.right:
        return [*said, (", as expected.", "")]
    return [*said, (", which is wrong: ", ""), *quoted(of.answer), (" was expected.", "")]


def driven(found: Explanation, selection: Selection) -> list[Piece]:
    """Which document stands first and what it states; [] where none does."""
    each = next(iter(found.shown), None)
    document = found.documents.get(each.document_id) if each else None
    if each is None or document is None:
        return []
    did = CHANGED.get((selection.tail, each.value > 0), "changes {} most").split("{}")
    said: list[Piece] = [("The document that ", ""), (did[0], ""), *_explained(found), (did[1], "")]
    if found.layer is not None:
        said.append((f" through {visible(found.layer.label)}", ""))
    if selection.normaliser != "none":
        said.append((" by the chosen scale", ""))
    name = document.title or document.document_id
    said += [(" is ", ""), (cut(name, LONGEST)[0], "strong")]
    said += [(f" ({visible(document.where)})", "muted")] if document.where else []
    words = _held(found, each)
    if words:
        said += [("; it states ", ""), *quoted(_stated(document, words))]
    else:
        said += [("; it does not say ", ""), *quoted(_said(found)), (" and begins ", "")]
        said += quoted(_stated(document, ""))
    return [*said, (f". {_against_chance(found, each)}" if _against_chance(found, each) else ".", "")]


def elsewhere(found: Explanation) -> list[Piece]:
    """What the other sizes wrote; [] where there are none."""
    others = [each for each in found.siblings if each.generation_id != found.generation.generation_id]
    if not others:
        return []
    alike = [each for each in others if _plain(each) == _plain(found.generation)]
    if len(alike) == len(others):
        return [("Every other size wrote the same." if len(others) > 1 else "The other size wrote the same.", "")]
    said: list[Piece] = []
    for each in [each for each in others if each not in alike][:OTHERS]:
        said += [("; " if said else "", ""), (visible(each.model.name), "strong"), (" wrote ", ""), *quoted(each.text)]
        said += [({True: " (right)", False: " (wrong)", None: ""}[each.right], "muted")]
    names = ", ".join(visible(each.model.name) for each in alike)
    return [*said, (f"; {names} wrote the same as this." if names else ".", "")]


def quoted(text: str) -> list[Piece]:
    """“Lima”, on one line, without the full stop that ends it."""
    shown, longer = cut(" ".join(text.split()).removesuffix("."), LONGEST)
    return [("“", ""), (shown + ("…" if longer else ""), "serif"), ("”", "")]


def sentence_with(text: str, words: str) -> str:
    """The sentence of a text with these words, or its first one; the words in the middle where it is long."""
    at = max(text.find(words), 0)
    ends = [each.end() for each in re.finditer(r"[.!?](?=\s)|\n", text)]
    start = max((end for end in ends if end <= at), default=0)
    stop = min((end for end in ends if end >= at + max(len(words), 1)), default=len(text))
    if stop - start <= LONGEST:
        return text[start:stop].strip()
    begin = max(start, at + len(words) // 2 - LONGEST // 2)
    cut_off = text[begin : min(stop, begin + LONGEST)].strip()
    return f"{'… ' if begin > start else ''}{cut_off}{' …' if begin + LONGEST < stop else ''}"


def _stated(document: StoredDocument, words: str) -> str:
    """Of a conversation without the name of who says it."""
    found = sentence_with(document.text, words)
    return _SPEAKER.sub("", found) if document.turns else found


def _explained(found: Explanation) -> list[Piece]:
    if found.whole:
        return [("this answer" if found.width > 1 else "this", "")]
    kind = "the word " if found.exact else "the token " if found.width == 1 else "the tokens "
    return [(kind, ""), *quoted(_said(found) or "end of text")]


def _said(found: Explanation) -> str:
    """What is explained, without the full stop that ends it."""
    return "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1]).strip().rstrip(".")


def _held(found: Explanation, each: Ranked) -> str:
    """What of the explained words the document has: all, of a right answer the expected one, or the longest stretch
    that is known to stand there; '' for nothing that is a word."""
    text, of = found.documents[each.document_id].text, found.generation
    expected = of.answer if found.whole and of.right else ""
    for words in (_said(found), expected, found.copies.documents.get(each.document_id, "")):
        if any(map(str.isalnum, words)) and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text):
            return words
    return ""


def _against_chance(found: Explanation, each: Ranked) -> str:
    """That chance would do as well, where it would: of `among_random`."""
    against = among_random(each.score, found.target.null_scores) if found.target else ""
    if not against or against.startswith("stronger"):
        return ""
    return f"That says little: {against}."


def _plain(of: Generation) -> str:
    return " ".join(of.text.split())
