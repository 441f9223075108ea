"""Search: the words of a text, and the index over the words of all documents."""
