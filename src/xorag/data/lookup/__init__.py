"""Whether what an answer says stands in a text, however the text writes it.

Numbers are compared by value, dates by day, month and year, names without case and accents. Knows
nothing of models and of how an answer came about.
"""
