"""Versioned directories that describe themselves; knows nothing of models or indexes."""
