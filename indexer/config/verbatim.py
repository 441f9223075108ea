"""Which words of an answer are looked for in the training texts: the table `[verbatim]`."""

from dataclasses import dataclass

from indexer.config.toml_table import Count, Natural


@dataclass(frozen=True)
class Verbatim:
    """What an answer says word for word as a training text does."""

    enabled: bool = True
    """Look for it: a suffix array over the tokens of the corpus is kept, about six bytes a token."""
    shortest: Count = 3
    """Tokens of a span, at least."""
    places: Natural = 5
    """Places kept of a span, besides one in every document that is kept for its answer's influence."""
