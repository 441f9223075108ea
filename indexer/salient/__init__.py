"""One saliency method of one answer, asked for when somebody looks at it."""
