"""From an answer to its documents: who proposes, who is scored, who is kept, and where in them."""
