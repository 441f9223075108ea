"""New prompts: the worker, and its answers as the records that stored ones have."""
