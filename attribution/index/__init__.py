"""The gradient index: documents compressed in one pass over the corpus, queries scanned against all of them."""
