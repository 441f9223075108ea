"""What influence is held against: the response that it approximates, and one real training step."""
