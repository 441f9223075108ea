"""A language model as it is read: loaded and checked, what of it is explained, what it reads and writes."""
