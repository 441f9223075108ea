"""An answer as the screens ask about it, wherever it is kept: in the database, or in the result of a job."""
