"""Figures that travel: what `evaluate` measured of some weights, in a file, for builds of the same weights."""
