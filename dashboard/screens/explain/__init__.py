"""Explain: one answer, token by token: its training documents, its layers, its prompt."""
