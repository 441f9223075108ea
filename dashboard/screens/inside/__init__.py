"""Inside: which heads and neurons of a model make a token."""

from dashboard.address.screen import Screen

RECORD = Screen(name="inside", title="Inside", order=5, of_answer=True)
