"""Heads and neurons of one size: what they are, what they did for each answer, what taught them.

split       the size as its components, or why it has none
activity    what they do in the corpus
components  both in rows; and what effects are compared with
answered    what they did for one answer: for `build`, which stores it, and for `ask`
rows        the same as columns
stage       of all answers
taught      through which the influence of documents passes
"""
