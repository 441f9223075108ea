"""Names of estimators as they are read; in the database a normalised one is `method / normaliser`. Pure."""

from attribution.normalisers import NORMALISERS
from indexer.config.estimator import estimators

REFERENCES = {  # what no record names; others stand as they are stored
    "ekfac, two stages": "EK-FAC, two stages",
    "ekfac, three stages": "EK-FAC, three stages",
    "random": "random order",
    "another seed": "trained again with another seed",
    "ceiling": "ceiling, upper bound: who knows the expected outcome",
    "unrolled, every step": "exact derivative through the whole training",
}


def method_name(method: str) -> str:
    """For instance `ekfac / relatif_l`: "EK-FAC ÷ own influence"."""
    plain, _, by = method.partition(" / ")
    known = estimators().get(plain)
    name = known.label if known else REFERENCES.get(plain, plain)
    if not by:
        return name
    how = NORMALISERS[by].label if by in NORMALISERS else f"/ {by}"
    return f"{name} {how}" if how.startswith("÷") else f"{name}, {how}"
