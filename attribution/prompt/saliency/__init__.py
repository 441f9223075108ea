"""Which earlier tokens a generated token reacts to, by one record of a method for each."""
