"""Compare: the sizes of a family side by side."""
