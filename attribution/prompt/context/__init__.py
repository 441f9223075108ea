"""What a context did to an answer: bits, MIRAGE, ContextCite, and the citations that follow."""
