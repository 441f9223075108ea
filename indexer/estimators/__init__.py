"""Other estimators over the same candidates, each stored under a run of its own."""
