"""From a question and its passages to token ids, and from token ids to an answer.

It does not know how passages were found, nor what the answer is worth.
"""
