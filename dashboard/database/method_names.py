"""Names of estimators as they are read; in the database a normalised one is `method / normaliser`. Pure."""

from attribution.normalisers import NORMALISERS

METHODS = {  # others stand as they are stored
    "ekfac": "EK-FAC",
    "ekfac_checkpoints": "EK-FAC, mean over checkpoints",
    "ekfac, two stages": "EK-FAC, two stages",
    "tracin": "TracIn",
    "gradient_dot": "gradient product",
    "gradient_cosine": "gradient cosine",
    "hidden_cosine": "hidden-state cosine",
    "bm25": "BM25",
    "random": "random order",
    "another seed": "trained again with another seed",
}


def method_name(method: str) -> str:
    """For instance `ekfac / relatif_l`: "EK-FAC, RelatIF-ℓ"."""
    plain, _, by = method.partition(" / ")
    name = METHODS.get(plain, plain)
    if not by:
        return name
    how = NORMALISERS[by].label if by in NORMALISERS else f"/ {by}"
    return f"{name} {how}" if how.startswith("÷") else f"{name}, {how}"
