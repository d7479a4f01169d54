"""What of a passage is shown beside its soft tokens, chosen by the question.

Knows nothing of how passages are found, and nothing of how a prompt words them.
"""
