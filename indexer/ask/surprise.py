"""How surprised a model is by the words of a prompt: beside the same of its documents it tells language from nonsense.

s_t = −log p(x_t given x_1 … x_{t−1})        nats; there is none of the first token, which nothing foretells
"""

from attribution.loading.load import LoadedModel
from attribution.model.generate import answer_logp


def surprise(loaded: LoadedModel, ids: tuple[int, ...]) -> tuple[float | None, ...]:
    """One entry for each token of a prompt, in one forward pass."""
    return (*[None] * len(ids[:1]), *(-each for each in answer_logp(loaded, ids[:1], ids[1:])))
