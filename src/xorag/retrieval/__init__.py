"""Passages as vectors and words: encoders, the index, search, fusion and rerankers."""
