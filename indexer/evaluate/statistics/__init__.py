"""Statistics of an evaluation: pure functions of numbers."""
