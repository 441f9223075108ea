"""What is drawn: plain records that a screen fills and render.py shows. Their text is still as it came from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dashboard.database.records import StoredDocument

if TYPE_CHECKING:
    import plotly.graph_objects as go

Piece = tuple[str, str]  # text, style: '', muted, strong, serif, mark, warm, cool, role


class Heated(NamedTuple):
    """A piece of a text. amount: 1 is full colour; 'mark', or None for nothing. kind, '' for words like any:

    role      who says what follows, of our own: it stands in no text      window    the same of where a window begins
    template  of the chat template, said by nobody                         read      read, and not learned
    unread    cut off: no model read it
    """

    text: str
    amount: float | str | None = None
    kind: str = ""


LABELS = ("role", "window")  # kinds that stand between the characters of a text


@dataclass(frozen=True)
class Legend:
    """A scale of colour: what it shows, and what stands at its ends; top: the amount at full colour, in `unit`."""

    name: str
    low: str
    high: str
    signed: bool = False
    top: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class StripToken:
    """A token with its shading: amount in [-1, 1] or None; sign '+', '−' or ''; words about it, of our own."""

    text: str
    amount: float | None = None
    signed: bool = False
    sign: str = ""
    words: str = ""
    role: str = ""  # who says what begins with this token
    template: bool = False  # of the chat template, said by nobody
    copied: bool = False  # stands so in a training text, with its neighbours
    unknown: bool = False  # what the others are shaded by was not computed for it


@dataclass(frozen=True)
class CardLine:
    """A line of a card with a measure of its own: bar from 0 to 1, said: its number; words: the same with its unit."""

    pieces: list[Heated]
    said: str
    bar: float
    words: str


@dataclass(frozen=True)
class Card:
    """A training document in a list. pieces: its text, or a passage of it; before, after: characters left out.

    lines: the text instead, where its lines have measures of their own.
    """

    document_id: str
    title: str
    where: str
    pieces: list[Heated]
    score: str = ""
    unit: str = ""
    hue: str = ""
    bar: float = 0.0
    facts: str = ""
    badges: tuple[tuple[str, bool], ...] = ()
    before: int = 0
    after: int = 0
    notice: str = ""
    unsigned: bool = False  # the amounts of the pieces have no sign
    unheated: bool = False  # those of other cards have amounts, this one's were not computed
    citation: str = ""  # what is copied of it, before the address of the page; '' where it is not offered
    lines: tuple[CardLine, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A bar from zero. key: of ours; said: the amount in words; parts: bars that it is the sum of, on demand."""

    key: str
    name: str
    amount: float
    said: str
    parts: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Share:
    """A part of a whole: amount in the unit of the whole; hue: strength, second, rest."""

    name: str
    amount: float
    said: str
    hue: str


@dataclass(frozen=True)
class GridCell:
    """A part of a model. key: of ours, '' where it cannot be chosen; amount: in [-1, 1], None where it is unknown;
    said: what the amount stands for, in words of our own; number: the same where there is room for a few characters."""

    key: str
    name: str
    amount: float | None
    said: str
    number: str = ""


@dataclass(frozen=True)
class GridGroup:
    """Columns of a grid that belong together; rows[i][j]: its cell in row i and column j."""

    name: str
    columns: list[str]
    rows: list[list[GridCell]]


@dataclass(frozen=True)
class CitedLine:
    """A sentence of an answer. cited, others: (part, name of the document, what is said of it)."""

    text: str
    cited: list[tuple[int, str, str]]
    others: list[tuple[int, str, str]]


@dataclass(frozen=True)
class Answer:
    """A cell of the table of prompts. pieces: (text, whether the filter found it)."""

    generation_id: str
    size: str
    pieces: list[tuple[str, bool]]
    right: bool | None
    source: str  # its best document
    known: str = ""  # of how many tokens the influence of that document is known
    share: float | None = None  # mean share of its bits that came from the prompt
    owed: str = ""  # what it owes to the group of documents that is asked for
    passes: bool = True  # the filters; another answer to the same prompt may, where this one does not


@dataclass(frozen=True)
class Column:
    """A size among the columns of a table of prompts; name: its own, shown: with what is said of it."""

    name: str
    shown: str


@dataclass(frozen=True)
class PromptRow:
    """turns: (role, words) of the prompt; answers: of the size of each column, None where it wrote none."""

    key: str
    turns: list[tuple[str, str]]
    about: str
    columns: list[Column]
    answers: list[Answer | None]


@dataclass(frozen=True)
class SizeToken:
    """A cell of the grid of sizes: a token, a word or a whole answer. fork: '' or what a marker says, off: after a fork
    of the size's own text."""

    text: str
    probability: float | None
    share: float | None
    fork: str = ""
    off: bool = False


@dataclass(frozen=True)
class SizeRow:
    """colour: of the size, `#rrggbb`."""

    size: str
    about: str
    tokens: list[SizeToken]
    colour: str


@dataclass(frozen=True)
class JoinedRow:
    """A document, a passage of it and, for each size, (rank, share of the ten documents' influence), or in words why it
    has none."""

    document: StoredDocument
    passage: str
    cells: list[tuple[int, float] | str]


@dataclass(frozen=True)
class Chart:
    """A plotly figure, what it shows in words for who does not see it, and its numbers as rows of a table.

    A point of the figure can be selected where its customdata begins with a key of ours; the second entry is its value
    as the page says it.
    """

    figure: go.Figure
    words: str
    rows: list[dict[str, object]] = field(default_factory=list)
