"""What a build says at its end: facts, what was skipped, how long it took."""
