"""Numbers as they stand on the page: a true minus sign, as many digits as mean something."""

import math
from collections.abc import Iterable
from numbers import Real

MINUS = "\u2212"


def missing(value: object) -> bool:
    """Whether it is no value at all, or a number that is none."""
    return value is None or (isinstance(value, Real) and math.isnan(value))


def decimals(values: Iterable[float], digits: int = 3) -> int:
    """Decimal places that give the largest value `digits` significant digits; more than 6 mean powers of ten."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0:
        return 0
    return max(0, digits - 1 - math.floor(math.log10(largest)))


def signed(value: float, places: int) -> str:
    """+0.0213, −0.0040; a value that rounds to zero keeps no sign; — when unknown."""
    if not math.isfinite(value):
        return "—"
    shown = f"{abs(value):.{places}f}" if places <= 6 else f"{abs(value):.1e}".replace("-", MINUS)
    if value == 0 or (places <= 6 and float(shown) == 0):
        return shown
    return ("+" if value > 0 else MINUS) + shown


def plain(value: float, digits: int = 3) -> str:
    """Three significant digits without exponent where that stays short."""
    if not math.isfinite(value):
        return "—"
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return _fixed(value, decimals([value], digits))


def two_places(value: float) -> str:
    """Of bits: two digits after the point, whatever the size."""
    return _fixed(value, 2)


def _fixed(value: float, places: int) -> str:
    """With a true minus sign, which what rounds to zero has not."""
    shown = f"{value:.{places}f}"
    return shown.lstrip("-") if float(shown) == 0 else shown.replace("-", MINUS)


def percent(share: float) -> str:
    """97.3 %; <0.1 % rather than 0.0 %; >99.9 % rather than 100.0 %."""
    if not math.isfinite(share):
        return "—"
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{_fixed(100 * share, 1)} %"


def parameters(n: int) -> str:
    """0.46 M, 7.4 M, 1.3 B."""
    for unit, least, scale in (("B", 999.5e6, 1e9), ("M", 1e5, 1e6), ("k", 1e3, 1e3)):
        if n >= least:
            amount = n / scale
            return f"{amount:.2f} {unit}" if amount < 1 else f"{amount:.3g} {unit}"
    return str(n)


def counted(n: int, noun: str) -> str:
    """1 prompt, 1,204 prompts."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
