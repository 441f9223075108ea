"""Target sets: many prompts with completions as one question to a size (`[[targets]]`).

texts      the texts of a set, as a file has them and as a size reads them
query      the one query of a set, and what the gradient index says of all documents
chosen     which documents are scored exactly, their ranks, and the curve of all: pure
scored     exact scores of these, and of the null sample
rows       all of it as columns of the tables
stage      the stage of a size, and what `select` finds of it
"""
