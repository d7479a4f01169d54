"""A plugin for vLLM, by which its servers read readers: experts beside each MLP.

vLLM finds it by the entry point `vllm.general_plugins` of this package, in each of its processes.
Nothing else imports it.
"""

from xorag.generation.reader.served import ARCHITECTURE

__all__ = ["register"]


def register() -> None:
    """Tell vLLM which class computes a merged reader; it imports that when it needs it."""
    from vllm import ModelRegistry  # noqa: PLC0415 - here only inside a vLLM server

    ModelRegistry.register_model(
        ARCHITECTURE, "xorag.generation.vllm_plugin.model:ReaderForCausalLM"
    )
