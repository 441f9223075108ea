"""What an evaluation asks, how much of it, and where its figures go."""
