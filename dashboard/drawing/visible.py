"""Text from outside as people can read it: nothing hidden, nothing reordered, nothing endless.

Control characters, bidirectional overrides, zero-width and private characters, unassigned code points and lone
surrogates are spelled as ⟨U+202E⟩: they stay in the database as they are and show on the page as what they are.
"""

import re
import unicodedata

LONGEST_TEXT = 20_000  # characters of a document on a page
LONGEST_TOKEN = 200

_JOINERS = "\u200c\u200d"  # legitimate between letters of other scripts and inside emoji
_SPACES = "\n\t\u00a0\u3000"


def visible(text: str) -> str:
    """The text with every invisible or ordering character spelled out."""
    if text.isprintable():
        return text
    return "".join(_spelled(text, i) for i in range(len(text)))


def cut(text: str, longest: int = LONGEST_TEXT) -> tuple[str, str]:
    """(visible text, notice): at most `longest` characters of it, and a sentence when there is more."""
    notice = f"Cut: the first {longest:,} of {len(text):,} characters." if len(text) > longest else ""
    return visible(text[:longest]), notice


def visible_token(text: str) -> str:
    """One token, cut with an ellipsis."""
    shown = visible(text[:LONGEST_TOKEN])
    return shown if len(text) <= LONGEST_TOKEN else f"{shown}… (+{len(text) - LONGEST_TOKEN:,})"


def one_line(token: str) -> str:
    """A token in a cell of its own: without blanks around it, the end of a line and a tab as signs."""
    shown = token.replace("\n", "↵").replace("\t", "⇥").strip(" ")
    return shown or "␣"


# plotly reads tags, entities, formulas and templates in a label; Streamlit takes some #rrggbb in a figure for its own
_CHART_MARKUP = str.maketrans({char: f"&#{ord(char)};" for char in "&<>#$%{}"} | {"\n": " ", "\t": " "})


def in_chart(text: str, longest: int = 40) -> str:
    """Text from outside as a label of a plotly figure shows it literally: on one line, cut, with no markup left."""
    return (visible(text[:longest]) + ("…" if len(text) > longest else "")).translate(_CHART_MARKUP)


def is_special(token: str) -> bool:
    """Whether a token looks like one of a tokenizer's own: <end>, <|endoftext|>, </s>."""
    return re.fullmatch(r"<[|/]?[A-Za-z_]{1,24}[|]?>", token) is not None


def _spelled(text: str, i: int) -> str:
    char = text[i]
    if char.isprintable() or char in _SPACES:
        return char
    if char in _JOINERS and 0 < i < len(text) - 1 and not (text[i - 1].isascii() or text[i + 1].isascii()):
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    return f"⟨U+{ord(char):04X}⟩"
