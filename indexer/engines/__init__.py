"""More machines: who computes handed-out parts, and the storage that all of them reach."""
