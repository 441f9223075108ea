"""About: how the numbers were made, and how far they can be trusted."""
