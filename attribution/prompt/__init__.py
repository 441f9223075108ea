"""The prompt's share: which parts of the prompt made which tokens, and what came from it rather than from memory."""
