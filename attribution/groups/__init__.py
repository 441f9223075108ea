"""Sums of the gradients of many documents, and what they do for a query."""
