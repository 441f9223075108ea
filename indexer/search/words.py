"""The words that a text is found by, each with its place: one analysis for documents, queries and candidates. Pure.

running, ran -> run, ran     Snowball's English stemmer; words of other scripts stay as they are
café, CAFÉ -> cafe           accents and case are folded
U.S.A. -> usa                letters with dots are one word
snake_case, a.b              the parts, and the whole at the place of the first
日本語 -> 日本, 本語           pairs of neighbours where a script writes no spaces; single signs too in a document
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

ANALYSIS = 2  # another number makes every text index anew
LONGEST = 64  # characters of a word; a longer one is no word
_REMEMBERED = 50_000  # words whose stem is kept
# scripts without spaces: kana and ideographs, Hangul, Thai and Lao, Burmese, Khmer
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED += "\u1100-\u11ff\uac00-\ud7af\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"
_ACCENTS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


@dataclass(frozen=True)
class Word:
    """A word of a text: `place` counts words, [start, stop) are characters; a `whole` is made of those that follow."""

    term: str
    place: int
    start: int
    stop: int
    whole: bool = False


def words(text: str, of_query: bool = False, exact: bool = False) -> Iterator[Word]:
    """Every word in order, by its stem or, `exact`, as it stands but for case and accents. A query has single signs of
    an unspaced script only where they stand alone or last."""
    place, term = 0, folded if exact else stem
    for found in _pattern().finditer(text):
        start, stop = found.span()
        if found.lastgroup == "unspaced":
            yield from _signs(found[0], place, start, of_query)
            place += stop - start
        elif found.lastgroup == "dotted":
            yield Word(term(found[0].replace(".", "")), place, start, stop)
            place += 1
        else:
            parts = list(_part().finditer(found[0]))
            if len(parts) > 1 and stop - start <= LONGEST:
                yield Word(term(found[0]), place, start, stop, whole=True)
            for part in parts:
                if len(part[0]) <= LONGEST:
                    yield Word(term(part[0]), place, start + part.start(), start + part.end())
                place += 1


def _signs(run: str, place: int, start: int, of_query: bool) -> Iterator[Word]:
    folded = [unicodedata.normalize("NFKC", sign) for sign in run]
    for i, sign in enumerate(folded):
        last = i == len(folded) - 1
        if not last:
            yield Word(sign + folded[i + 1], place + i, start + i, start + i + 2)
        if not of_query or len(folded) == 1:
            yield Word(sign, place + i, start + i, start + i + 1)


def phrase(text: str, exact: bool = False) -> list[str]:
    """The terms that stand at successive places of a document with these words in this order."""
    found: dict[int, str] = {}
    for word in words(text, exact=exact):
        if not word.whole:
            found.setdefault(word.place, word.term)  # a pair before its first sign
    return [found[place] for place in sorted(found)]


def says(text: str, quoted: str) -> bool:
    """Whether a text has these words in this order, each as it is written but for case and accents."""
    wanted = phrase(quoted, exact=True)
    begun: set[int] = set()  # how much of the phrase ends at the place before
    place, here = -1, set[str]()
    for word in (*words(text, exact=True), None):
        if word is not None and word.place == place:
            here.add(word.term)
            continue
        begun = {n + 1 for n in (*begun, 0) if n < len(wanted) and wanted[n] in here}
        if len(wanted) in begun:
            return True
        if word is not None:
            place, here = word.place, {word.term}
    return not wanted


@lru_cache(_REMEMBERED)
def stem(word: str) -> str:
    """The word folded and without its ending."""
    plain = folded(word)
    return str(_stemmer()(plain)) or plain


@lru_cache(_REMEMBERED)
def folded(word: str) -> str:
    """The word without case and accents."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain)).translate(_LETTERS)


@cache
def _stemmer() -> Any:
    from whoosh.lang import stemmer_for_language

    return stemmer_for_language("en")


@cache
def _pattern() -> re.Pattern[str]:
    marks = _marks()
    letter, sign = rf"[^\W\d_{_UNSPACED}]", rf"[^\W_{_UNSPACED}]"
    part = f"{sign}[{marks}]*(?:{sign}[{marks}]*)*"
    return re.compile(
        rf"(?P<dotted>(?<!\w)(?:{letter}\.){{2,}}(?:{letter}(?!\w))?)"
        rf"|(?P<unspaced>[{_UNSPACED}]+)|(?P<word>_*{part}(?:[._]+{part})*)"
    )


def is_unspaced(sign: str) -> bool:
    """Whether its script writes no spaces between words."""
    return re.match(f"[{_UNSPACED}]", sign) is not None


@cache
def _part() -> re.Pattern[str]:
    return re.compile("[^._]+")


@cache
def _marks() -> str:
    """Combining signs as ranges of a pattern: Python takes none of them for part of a word."""
    codes = [i for i in range(0x300, 0x10000) if unicodedata.category(chr(i)).startswith("M")]
    unspaced = re.compile(f"[{_UNSPACED}]")
    return "".join(re.escape(chr(i)) for i in codes if not unspaced.match(chr(i)))


class Analyser:
    """The same for Whoosh, which keeps it in the index's own file by this name."""

    def __call__(self, value: str, positions: bool = False, chars: bool = False, **how: Any) -> Iterator[Any]:
        from whoosh.analysis import Token

        token = Token(positions, chars, mode=how.get("mode", ""))
        token.boost, token.stopped = 1.0, False
        for word in words(value, of_query=how.get("mode") == "query"):
            token.text, token.pos, token.startchar, token.endchar = word.term, word.place, word.start, word.stop
            yield token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Analyser)

    def __hash__(self) -> int:
        return hash(Analyser)

    @staticmethod
    def has_morph() -> bool:
        """Whoosh asks whether stems need words of their own for spelling: they do not."""
        return False
