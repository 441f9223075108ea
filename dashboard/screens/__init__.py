"""One screen per file; each is four paragraphs: choose, ask, shape, show."""
