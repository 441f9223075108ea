"""Exact influence: query directions, inner products with documents, their positions, tokens and normalisers."""
