"""Parts of the Explain screen, each for one question about the chosen tokens."""
