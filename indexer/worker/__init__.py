"""One process that computes for the dashboard, which never loads torch itself: bounded, shared, cancellable."""
