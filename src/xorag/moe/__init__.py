"""Experts beside the MLPs of a dense decoder, and the routers that choose among them (Open-RAG).

It does not know what the model reads, nor how it is trained.
"""
