"""SECURITY.md names a test for every promise; each of them is there."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def rows() -> list[str]:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("|") and ".py::" in line]


def named(row: str) -> Iterator[tuple[str, str, bool]]:
    """(file, test, long); `::test` alone is of the file before it, and what stands after ⌛ is long."""
    file, slow = "", False
    for match in re.finditer(r"⌛|`([\w/]+\.py)?::(\w+)`", row):
        slow = slow or match[0] == "⌛"
        file = match[1] or file
        if match[2]:
            yield file, match[2], slow


def test_every_named_test_is_there_and_the_long_ones_are_marked():
    found = [each for row in rows() for each in named(row)]
    assert len(found) > 45
    for file, test, slow in found:
        before, is_there, _ = (ROOT / file).read_text(encoding="utf-8").partition(f"\ndef {test}(")
        assert is_there, (file, test)
        marks = before.rpartition("\n\n\n")[2]  # what stands between the function and the one above
        assert ("@pytest.mark.slow" in marks or "pytest.mark.slow]" in before) == slow, (file, test)


def test_all_twenty_are_there():
    numbers = [row.split("|")[1].strip() for row in rows()]
    assert [number for number in numbers if number] == [str(n) for n in range(1, 21)]
