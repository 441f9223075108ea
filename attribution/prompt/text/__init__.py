"""Prompts as text: turns, documents, templates, and the characters of each part."""
