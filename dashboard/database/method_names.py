"""Names of estimators as they are read; in the database a normalised one is `method / normaliser`. Pure."""

from dashboard.database.normalise import NORMALISERS

METHODS = {  # others stand as they are stored
    "ekfac": "EK-FAC",
    "ekfac_checkpoints": "EK-FAC, mean over checkpoints",
    "ekfac, two stages": "EK-FAC, two stages",
    "ekfac, three stages": "EK-FAC, three stages",
    "tracin": "TracIn",
    "gradient_dot": "gradient product",
    "gradient_cosine": "gradient cosine",
    "hidden_cosine": "hidden-state cosine",
    "bm25": "BM25",
    "random": "random order",
    "another seed": "trained again with another seed",
}
DIVIDED = {  # by evaluation's names of normalisers
    "grad_norm": NORMALISERS["gradient"].label,
    "grad_norm_squared": NORMALISERS["gradient2"].label,
    "relatif_l": NORMALISERS["relatif-l"].label,
    "relatif_theta": NORMALISERS["relatif-t"].label,
}


def method_name(method: str) -> str:
    """For instance `ekfac / relatif_l`: "EK-FAC, RelatIF-ℓ"."""
    plain, _, by = method.partition(" / ")
    name = METHODS.get(plain, plain)
    if not by:
        return name
    how = DIVIDED.get(by, f"/ {by}")
    return f"{name} {how}" if how.startswith("÷") else f"{name}, {how}"
