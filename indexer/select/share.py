"""How many documents are kept: `10%` of them, or so many."""

import math
import re
from dataclasses import dataclass

from attribution.errors import BadInput

_GIVEN = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")


@dataclass(frozen=True)
class Keep:
    """A share, or a number."""

    share: float | None = None
    number: int = 0

    def of(self, n: int) -> int:
        """Of n documents, one at least. Raises BadInput where more are wanted than there are."""
        if self.share is not None:
            return max(1, round(self.share * n))
        if self.number > n:
            raise BadInput(f"expected at most the {n:,} documents that there are for --keep, found {self.number:,}")
        return self.number


def keep_of(text: str) -> Keep:
    """Raises BadInput for anything but more than 0 % and at most 100 %, or a whole number of documents from 1 on."""
    found = _GIVEN.fullmatch(text.strip())
    number = float(found[1]) if found else math.nan
    if found and found[2] and 0 < number <= 100:
        return Keep(share=number / 100)
    if found and not found[2] and number >= 1 and number.is_integer():
        return Keep(number=int(number))
    raise BadInput(
        f"expected more than 0% and at most 100%, or a number of documents, for --keep, found {text!r}; write 10%"
    )
