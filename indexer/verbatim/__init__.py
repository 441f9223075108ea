"""What an answer says word for word as the training texts do.

suffixes  a suffix array over token ids, and how it is searched: pure
arrays    those of a corpus as it was read, on disk
found     the longest spans of an answer, and where they stand
stage     the rows of the answers of a size
"""
