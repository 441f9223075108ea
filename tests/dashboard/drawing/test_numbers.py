import math

import pytest

from dashboard.drawing.numbers import decimals, parameters, percent, plain, signed, two_places


@pytest.mark.parametrize(
    ("values", "places"),
    [([0.0213, 0.0004], 4), ([123.4], 0), ([1.5], 2), ([], 0), ([math.nan, 0.5], 3), ([1e-12], 14)],
)
def test_decimals(values: list[float], places: int) -> None:
    assert decimals(values) == places


def test_signed() -> None:
    assert signed(0.0213, 4) == "+0.0213"
    assert signed(-0.0213, 4) == "−0.0213"
    assert signed(-0.00001, 4) == "0.0000"
    assert signed(math.nan, 2) == "—"
    assert signed(-1.04e-8, 10) == "−1.0e−08"


def test_plain() -> None:
    assert [plain(x) for x in (0.0, 3.14159, -0.5, 12345.6, 1e-7, math.inf)] == [
        "0", "3.14", "−0.500", "12346", "1.00e−07", "—",
    ]  # fmt: skip


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert (plain(-0.0), two_places(-0.001), percent(-0.0001), percent(-0.0)) == ("0", "0.00", "0.0 %", "0.0 %")
    assert (two_places(-0.3), two_places(1.25), percent(-0.25)) == ("−0.30", "1.25", "−25.0 %")


def test_percent() -> None:
    assert [percent(x) for x in (0, 0.0001, 0.5, 0.9999, 1)] == ["0.0 %", "<0.1 %", "50.0 %", ">99.9 %", "100.0 %"]


def test_parameters() -> None:
    sizes = (460_352, 1_700_000, 7_400_000, 999_400_000, 999_885_952, 1_300_000_000, 60_000, 12)
    said = ["0.46 M", "1.7 M", "7.4 M", "999 M", "1.00 B", "1.3 B", "60 k", "12"]
    assert [parameters(n) for n in sizes] == said
