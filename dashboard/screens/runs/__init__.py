"""Runs: every prompt, and what each size wrote after it."""

from dashboard.address.screen import Screen

RECORD = Screen(name="runs", title="Runs", order=2, all_sizes=True)
