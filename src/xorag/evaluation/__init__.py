"""Question sets answered in each mode, scored, and compared with answering without retrieval."""
