"""Bars of whole groups say how large, how sure and how many; a long or empty name stays a name."""

from dashboard.database.group_records import GroupScore
from dashboard.widgets.group_bars import LONGEST_NAME, group_bars, said


def group(value: str, score: float, error: float | None = None, n: int = 3) -> GroupScore:
    return GroupScore("corpus", "source", value, n, score, error)


def test_a_bar_says_amount_error_and_documents() -> None:
    assert said(group("a", 0.4123, 0.02), 3) == "+0.412 ± 0.020 · 3 documents"
    assert said(group("a", -0.4123, n=1), 2) == "−0.41 · 1 document"
    assert said(group("a", 0.0, n=0), 2) == "0.00"


def test_names() -> None:
    bars = group_bars([group("", 1.0), group("x" * 500, 0.5), group("\u202eabc", -0.5)])
    assert bars[0].name == "(none)"
    assert len(bars[1].name) == LONGEST_NAME + 1
    assert "\u202e" not in bars[2].name
    assert [bar.key for bar in bars] == ["0", "1", "2"]
