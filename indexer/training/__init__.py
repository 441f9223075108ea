"""`train`: the demo family from scratch, seeded and resumable, and its fine-tuned child."""
