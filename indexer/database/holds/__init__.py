"""What must hold between the rows of a subject: one question each, answered by the number of rows that break it."""
