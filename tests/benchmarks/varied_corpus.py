"""A corpus of any size that is as long-winded as the demo's: its documents, then the same with other words in them."""

import random
from collections.abc import Sequence

WORD = 4  # letters that a word has at least, to be replaced
SHARE = 0.4  # of these that are


def varied(texts: Sequence[str], n: int, seed: int = 0) -> list[str]:
    """n different texts; the first are those that are given, every other one is a variant of one of them."""
    rng = random.Random(seed)
    pool = [word for text in texts for word in text.split() if len(word) >= WORD]
    made = dict.fromkeys(texts[:n])
    while len(made) < n:
        words = texts[len(made) % len(texts)].split()
        replaced = (rng.choice(pool) if len(word) >= WORD and rng.random() < SHARE else word for word in words)
        made.setdefault(" ".join(replaced))
        if len(made) % len(texts) == 0:  # texts that are too short to be varied do not stop it
            made.setdefault(" ".join(rng.sample(pool, 12)))
    return list(made)
