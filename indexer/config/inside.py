"""What a build computes of heads and neurons: the table `[inside]`."""

from dataclasses import dataclass

from indexer.config.toml_table import Count, Natural

BASELINES = ("corpus", "zero")


@dataclass(frozen=True)
class Inside:
    """What heads and neurons do, of a model that can be split into them."""

    enabled: bool = True
    """Compute any of it."""
    neurons: Count = 20
    """Neurons kept of every token, and of every document that is split by position: the strongest, which hold 90 % of
    what all of them do, at most so many."""
    measured: Natural = 4
    """Tokens of each answer, evenly spaced, whose strongest heads and neurons are really replaced, and as many random
    ones: some thirty forward passes each. 0 is none."""
    heads: Natural = 64
    """Heads of a model up to which all are replaced, a forward pass each for an answer: a head of large effect need not
    have a large gradient. A model with more has the strongest and random ones."""
    attention: Natural = 64
    """Heads of every token whose attention is kept: those of largest total effect. 0 is none."""
    contexts: Natural = 8
    """Training texts kept of every head and neuron; 0: none, and no histograms."""
    baseline: str = "corpus"
    """What a component is compared with, and replaced by: its mean over the `"corpus"`, or `"zero"`. Where no influence
    is computed the corpus is not read, and it is zero."""
