"""`select`: which documents to keep, drop or look at for a target set."""
