"""What was traced, as columns of the tables that keep it."""
