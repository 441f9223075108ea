"""MIRAGE's cues, gradient norm: why a token that depends on the documents, and not what stood there without."""

from attribution.prompt.saliency.method import Method

RECORD = Method(
    name="mirage_norm",
    label="MIRAGE, gradient norm",
    note="why this token and not the one that the model writes without the documents",
    cost="comes with MIRAGE",
    order=8,
    scores=None,
    signed=False,
    cue=1,
)
