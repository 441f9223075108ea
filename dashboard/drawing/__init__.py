"""How things look: shapes, numbers, colours, and our own components."""
