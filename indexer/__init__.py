"""From a corpus and a model family to one published attribution database."""

__version__ = "0.1.0"  # of everything: the package, every key, the database
