"""Recipes and options: every field checked, all faults reported at once. Free of torch."""
