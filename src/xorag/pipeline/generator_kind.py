"""What computes a language model, by name; light, so that the command line can list it."""

from enum import StrEnum


class GeneratorKind(StrEnum):
    """What computes a language model."""

    TRANSFORMERS = "transformers"
    """This process."""
    VLLM = "vllm"
    """A vLLM server over HTTP."""
