"""Heads, neurons and key–value heads: their names, their rows, and what they amount to."""
