"""Estimators that are sums of gradient products over checkpoints: their scores, and what they say of whole answers."""
