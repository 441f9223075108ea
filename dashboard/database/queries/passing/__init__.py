"""What an answer may be held to, and what answers may come by: parts of SQL for the questions of Runs."""
