"""Whatever stands in an address or is typed into a filter is data: a value of a query, never a part of it."""

import inspect
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.choices import MATCHES, PLACES
from dashboard.address.screen import screens
from dashboard.database.queries.filters import passing_answers
from indexer.database.reader import Snapshot
from tests.dashboard.drawn import words
from tests.dashboard.hostile import HOSTILE

Open = Callable[..., AppTest]
TYPED = [
    "'; DROP TABLE document; --",
    "' OR '1'='1",
    '" OR 1=1 --',
    "%",
    "_",
    "\\",
    "$token",
    "?",
    "$$",
    "{token}",
    "(a+)+$",
    "(",
    "[",
    "*",
    "a{1,99999}",
    "(?<=a)b",
    "\\1",
    "\x00",
    "\u202e",
    "a" * 5000,
    "🙂",
]
EVERYTHING = dict.fromkeys(inspect.signature(passing_answers).parameters, "") | {
    "match": "prefix",
    "within": "answers",
}
for other in ("snapshot", "owes", "side", "only", "arranged", "arranged_size", "turned"):  # see screens/runs
    EVERYTHING.pop(other)


def found(snapshot: Snapshot, **changed: str) -> list[str]:
    return list(passing_answers(snapshot, **(EVERYTHING | changed)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name not in ("match", "within", "token")])
def test_as_a_plain_filter_it_finds_nothing_and_nothing_is_lost(snapshot: Snapshot, name: str) -> None:
    everything = found(snapshot)
    assert len(everything) == 10
    for typed in TYPED[:10]:
        assert found(snapshot, **{name: f"zz{typed}"}) == [], typed
    assert found(snapshot) == everything


@pytest.mark.parametrize("within", PLACES)
@pytest.mark.parametrize("match", MATCHES)
def test_whatever_is_typed_into_a_filter_is_data(open_app: Open, match: str, within: str) -> None:
    app = open_app({"filter": "Lima", "match": match, "in": within}, screen="runs")
    for typed in TYPED:
        app.query_params["filter"] = typed
        begun = time.monotonic()
        app.run()
        assert not app.exception, typed
        assert time.monotonic() - begun < 12, typed  # the limit of a query, and the page around it
    app.query_params["filter"] = "Lima"
    app.run()
    assert not app.exception


def test_a_bad_pattern_is_told(open_app: Open) -> None:
    app = open_app({"filter": "(", "match": "regex"}, screen="runs")
    assert "Expected a pattern, found '(', in which a ( has no )" in words(app)


@pytest.mark.parametrize("screen", screens())
def test_an_address_of_hostile_values_is_a_page(open_app: Open, folder: Path, screen: str) -> None:
    for typed in HOSTILE:
        keys = ("generation", "run", "token", "document", "part", "layer", "job", "shade", "scale", "size", "search")
        app = open_app(dict.fromkeys(keys, typed), screen=screen)
        assert not app.exception, typed
        assert "evil.invalid/" not in "".join(each.value for each in [*app.markdown, *app.caption])
