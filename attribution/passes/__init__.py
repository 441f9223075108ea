"""Forward, backward and forward-mode passes over padded batches, and what they leave for the sums."""
