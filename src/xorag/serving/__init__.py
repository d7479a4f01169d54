"""An index over HTTP: an OpenAI-compatible API, documents, and a page."""
