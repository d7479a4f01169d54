"""Instruction examples: question sets and passages turned into turns of a conversation."""
