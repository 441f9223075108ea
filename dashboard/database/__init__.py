"""The published database as the pages read it: opened once, asked by name, ranked and normalised."""
