"""A reader: a language model with experts and reflection tokens, from an artifact or as published.

It does not know what the reflection tokens decide, nor how a reader is trained.
"""
