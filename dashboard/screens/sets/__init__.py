"""Sets: which documents help or hurt a whole set of prompts, a benchmark or a style."""

from dashboard.address.screen import Screen

RECORD = Screen(name="sets", title="Sets", order=8, searched_size=True)
