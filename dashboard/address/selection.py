"""What the analyst looks at: one frozen value, and its address.

Every screen draws what the Selection says; every click makes a new one; the URL spells it, so a view can be sent to
a colleague. Fields at their default do not appear in the URL. What a URL asks and nobody knows is left to the
screens: they say so in a friendly line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from attribution.normalisers import NORMALISERS
from dashboard.address.choices import (
    ARRANGED,
    CONTRASTS,
    EFFECTS,
    HEATS,
    KINDS,
    MATCHES,
    ORDERS,
    PLACES,
    PRESETS,
    SHADES,
    SIDES,
    TEXTS,
    UNITS,
)

Span = tuple[int, int]

# how the names of normalisers were spelled in addresses before they were those of the database
NORMALISERS_BEFORE = {
    "gradient": "grad_norm",
    "gradient2": "grad_norm_squared",
    "relatif-l": "relatif_l",
    "relatif-t": "relatif_theta",
}

# what a list is made of: its first page follows a change
FILTERS = {"text", "token", "match", "within", "size", "family", "topic", "source", "search", "order", "target_set"}
FILTERS |= {"tail", "group", "pair", "only", "arranged", "arranged_size", "turned"}
UNFILTERED = dict.fromkeys(("text", "token", "size", "family", "topic", "source", "group"), "") | {"only": ()}  # Runs
LONGEST = 200  # characters of one value of the URL; longer ones are cut


def _text(raw: str) -> str:
    return raw[:LONGEST]


def _natural(raw: str) -> int | None:
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 7 else None


def _number(raw: str) -> float | None:
    """A quarter between −1 and 3."""
    return int(raw) / 4 if raw in {str(quarter) for quarter in range(-4, 13)} else None


def _integer(raw: str) -> int | None:
    return int(raw) if raw in {str(k) for k in range(-50, 21)} else None


def _span(raw: str) -> Span | None:
    """`3` or `3-5`; anything else is no span."""
    start, dash, end = raw.partition("-")
    first, last = _natural(start), _natural(end) if dash else _natural(start)
    return None if first is None or last is None or last < first else (first, last)


def _among(*names: str) -> Callable[[str], str | None]:
    return lambda raw: raw if raw in names else None


def _several(*names: str) -> Callable[[str], tuple[str, ...]]:
    return lambda raw: tuple(name for name in names if name in raw.split("."))


def _normaliser(raw: str) -> str | None:
    name = NORMALISERS_BEFORE.get(raw, raw)
    return name if name in NORMALISERS else None


def _key(key: str, default: Any, parse: Callable[[str], Any] = _text) -> Any:
    return field(default=default, metadata={"key": key, "parse": parse})


@dataclass(frozen=True)
class Selection:
    """Positions and layers count from 0. `span` holds its first and its last token, both included."""

    generation: str = _key("generation", "")
    run: str = _key("run", "")  # "" means the newest run of the generation's model
    span: Span | None = _key("token", None, _span)
    document: str = _key("document", "")
    part: int | None = _key("part", None, _natural)
    layer: str = _key("layer", "")  # key of a layer group: attention-3
    component: str = _key("component", "")  # Inside: kind, depth and number: head:3.5
    job: str = _key("job", "")  # a new prompt under way or answered, not in the database yet

    shade: str = _key("shade", "strength", _among(*SHADES))  # what the background of the answer shows
    normaliser: str = _key("scale", "none", _normaliser)
    tail: str = _key("side", "towards", _among(*SIDES))
    heat: str = _key("heat", "loss_influences", _among(*HEATS))
    saliency: str = _key("saliency", "")
    contrast: str = _key("why", "no", _among(*CONTRASTS))  # saliency of the token, or of it against the prompt's foil
    effect: str = _key("effect", "total", _among(*EFFECTS))  # Inside: what is shown of each component

    text: str = _key("text", "")  # filters of Runs
    token: str = _key("filter", "")
    match: str = _key("match", "word", _among(*MATCHES))
    within: str = _key("in", "answers", _among(*PLACES))
    size: str = _key("size", "")
    family: str = _key("family", "")
    topic: str = _key("topic", "")
    source: str = _key("source", "")
    group: str = _key("group", "")  # the answers that owe most to a group of documents: source:WordNet
    only: tuple[str, ...] = _key("only", (), _several(*KINDS))
    arranged: str = _key("rows", "", _among(*ARRANGED))  # what they come by, of the answers of a size
    arranged_size: str = _key("of", "")
    turned: str = _key("turned", "no", _among("no", "yes"))
    page: int | None = _key("page", None, _natural)

    search: str = _key("search", "")  # Corpus
    order: str = _key("sort", "helpful", _among(*ORDERS))
    target_set: str = _key("set", "")  # its name; Sets too
    heated: str = _key("heatof", "")  # a document's page: the answer by which its tokens are shaded, "" for all
    unit: str = _key("unit", "word", _among(*UNITS))  # Compare too: what is compared
    what_if: str = _key("whatif", "")  # a question about a text that was not trained on
    column: str = _key("by", "source")  # Sets: by which column documents are grouped
    deviations: float = _key("cti", 1.0, _number)  # Context: standard deviations above the mean, in quarters
    cues: int = _key("cues", -5, _integer)
    preset: str = _key("mirage", "paper", _among(*PRESETS))
    aligned: str = _key("compare", "own", _among(*TEXTS))  # Compare: each size's own answer, or one text for all
    pair: str = _key("pair", "")  # Compare: a smaller and a larger size, of which only the larger one is right
    word: int | None = _key("word", None, _natural)  # Compare: of the prompt, which components read it

    def with_(self, **changes: Any) -> "Selection":
        """A new selection; a change to an outer level clears the levels inside it, unless they are given too."""
        cleared: dict[str, Any] = {}
        if "generation" in changes and changes["generation"] != self.generation:
            cleared = {
                "span": None,
                "document": "",
                "part": None,
                "layer": "",
                "component": "",
                "run": "",
                "job": "",
                "word": None,
            }
        if "document" in changes and changes["document"] != self.document:
            cleared |= {"what_if": "", "heated": ""}
        if changes.keys() & FILTERS:
            cleared |= {"page": None}
        return replace(self, **(cleared | changes))

    def escape(self) -> "Selection":
        """Without the innermost level that is set: component, layer, prompt part, document, token."""
        innermost: dict[str, Any] = {"component": "", "layer": "", "part": None, "document": "", "span": None}
        for name, empty in innermost.items():
            if getattr(self, name) != empty:
                return replace(self, **{name: empty})
        return self


def address(selection: Selection) -> dict[str, str]:
    """The query of the URL that spells this selection."""
    query: dict[str, str] = {}
    for f in fields(Selection):
        value = getattr(selection, f.name)
        if value != f.default:
            query[f.metadata["key"]] = _spell(value)
    return query


def from_address(query: Mapping[str, str]) -> Selection:
    """The selection that a URL spells; what cannot be read is left at its default, never an error."""
    values: dict[str, Any] = {}
    for f in fields(Selection):
        raw = query.get(f.metadata["key"])
        if raw is not None:
            value = f.metadata["parse"](raw)
            values[f.name] = f.default if value is None else value
    return Selection(**values)


def _spell(value: Any) -> str:
    if isinstance(value, float):
        return str(round(4 * value))
    if isinstance(value, tuple) and isinstance(value[0], str):
        return ".".join(value)
    if isinstance(value, tuple):
        first, last = value
        return str(first) if first == last else f"{first}-{last}"
    return str(value)
