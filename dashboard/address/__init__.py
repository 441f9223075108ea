"""What the analyst looks at, and its address."""
