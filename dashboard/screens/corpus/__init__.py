"""Corpus: the training documents, searched and opened."""
