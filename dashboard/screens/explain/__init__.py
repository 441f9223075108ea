"""Explain: one answer, token by token: its training documents, its layers, its prompt."""

from dashboard.address.screen import Screen

RECORD = Screen(name="explain", title="Explain", order=1, of_answer=True)
