"""Child processes, the same work side by side, and progress on the terminal."""
