"""Tokens: one word, in every answer and in the training texts, and what drives it."""

from dashboard.address.screen import Screen

RECORD = Screen(name="tokens", title="Tokens", order=3)
