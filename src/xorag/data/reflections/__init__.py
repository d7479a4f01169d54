"""Training rows of a reader: questions with passages, answers and the judgement of both."""
