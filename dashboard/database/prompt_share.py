"""The share of a token's bits that the prompt saved: of its surprise without any prompt, what reading the prompt took.

    share = (bits_nothing − bits_full) / bits_nothing        between 0 and 1: a prompt that misled saved nothing

`bits_nothing = bits_question + bits_documents + bits_full` holds in every database, so it is the gains' share as well.
"""

SHARE = "greatest(0, least(1, (bits_nothing - bits_full) / bits_nothing))"  # in SQL, where `MEASURED` holds
MEASURED = "bits_nothing > 0 AND bits_full IS NOT NULL"


def prompt_share(nothing: float | None, full: float | None) -> float | None:
    """The same of two numbers of bits; None where one was not measured, or where there was nothing to save."""
    if nothing is None or full is None or nothing <= 0:
        return None
    return min(1.0, max(0.0, (nothing - full) / nothing))
