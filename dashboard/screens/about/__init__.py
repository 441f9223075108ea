"""About: how the numbers were made, and how far they can be trusted."""

from dashboard.address.screen import Screen

RECORD = Screen(name="about", title="About", order=9)
