"""One saliency method a file, each with its record; what it costs to add one is a file here and its test."""
