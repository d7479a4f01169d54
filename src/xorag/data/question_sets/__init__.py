"""Question sets of others, by name or file, as questions with answers."""
