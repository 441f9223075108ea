"""Whole groups of the corpus: sources, topics, whatever `[groups] by` names, and their influence on any query."""
