"""Exact influence: inner products of query directions with documents, their positions, tokens and normalisers."""
