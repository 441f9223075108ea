"""Scores of every document by every estimator, for the tokens that an evaluation asks about."""
