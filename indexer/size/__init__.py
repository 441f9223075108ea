"""One size of the family: opened, fitted, passed over the corpus, its index and its answers."""
