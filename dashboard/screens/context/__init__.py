"""Context: an answer from documents, what it took from which, what it cites."""
