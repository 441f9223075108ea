"""Corpus: the training documents, searched and opened."""

from dashboard.address.screen import Screen

RECORD = Screen(name="corpus", title="Corpus", order=7, searched_size=True)
