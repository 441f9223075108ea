"""Models that an evaluation trains: siblings of a size, on halves and without documents."""
