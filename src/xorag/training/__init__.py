"""Recipes carried out: what is read, what is optimised, how it is reported."""
