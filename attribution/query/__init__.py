"""The side of the query: gradients of what is asked about, solved, and how these directions are kept."""
