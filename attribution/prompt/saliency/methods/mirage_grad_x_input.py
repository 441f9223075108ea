"""MIRAGE's cues, gradient times input: why a token that depends on the documents, and not what stood there without."""

from attribution.prompt.saliency.method import Method

RECORD = Method(
    name="mirage_grad_x_input",
    label="MIRAGE, gradient × input",
    note="why this token and not the one that the model writes without the documents, signed",
    cost="comes with MIRAGE",
    order=7,
    scores=None,
    cue=2,
)
