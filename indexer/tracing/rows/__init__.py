"""Columns of the tables that tell which documents an answer owes to what run."""
