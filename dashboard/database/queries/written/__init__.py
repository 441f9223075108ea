"""One word or token wherever it is written: in answers, in training texts, and what drives it there."""
