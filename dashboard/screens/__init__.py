"""One screen a folder, each with its record; `screen.py` is four paragraphs: choose, ask, shape, show."""
