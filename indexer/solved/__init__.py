"""Queries of a size solved with its whole damped Gauss–Newton matrix, in place of each block by itself."""
