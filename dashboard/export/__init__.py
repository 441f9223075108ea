"""What a screen shows as files for other programs."""
