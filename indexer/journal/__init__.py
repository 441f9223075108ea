"""Stages that survive: parts, claims, locks and files on disk."""
