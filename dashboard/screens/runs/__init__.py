"""Runs: every prompt, and what each size wrote after it."""
