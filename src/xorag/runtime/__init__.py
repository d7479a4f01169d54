"""Device, dtype, seeds and where models come from; knows nothing of retrieval or prompts."""
