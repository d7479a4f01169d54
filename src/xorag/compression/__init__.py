"""Passages as soft tokens: the projector, the splice, and the wrapper around a language model.

It does not know where passages come from, nor how a prompt is worded.
"""
