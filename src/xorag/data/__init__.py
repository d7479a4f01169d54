"""Corpora, chunking and questions: from files to plain values, without torch."""
