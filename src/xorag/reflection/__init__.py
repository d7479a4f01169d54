"""Reflection tokens: their vocabulary, the gates, how paths are judged and chosen."""
