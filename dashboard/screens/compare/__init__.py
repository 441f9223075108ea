"""Compare: the sizes of a family side by side."""

from dashboard.address.screen import Screen

RECORD = Screen(name="compare", title="Compare", order=4, of_answer=True, all_sizes=True)
