"""From a corpus and a model family to one published attribution database."""
