"""A reader as vLLM computes it: vLLM's own dense model, and xorag's experts around its MLPs.

Written for vLLM 0.32. The dense model may be sharded over GPUs by tensors or by layers; each
process holds the experts of its layers whole, which reads the same and costs a tenth more memory.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from vllm.model_executor.models.utils import init_vllm_registered_model, maybe_prefix

from xorag.errors import ExpertError
from xorag.generation.reader.experts import Experts, read_experts
from xorag.generation.reader.served import BASE_ARCHITECTURE
from xorag.generation.vllm_plugin.layers import dense_name, install_experts
from xorag.moe.upcycle import load_expert_state

_INNER = "language_model"


class ReaderForCausalLM(nn.Module):
    """A dense model of vLLM's with experts around its MLPs (Open-RAG, arXiv 2410.01782)."""

    supports_pp: ClassVar[bool] = True

    def __init__(self, *, vllm_config: Any, prefix: str = "") -> None:  # noqa: ANN401 - vLLM's
        """Build the dense model that the config names, and put unset experts into it.

        Raises:
            ArtifactError: If the folder is not that of a merged reader.
            ExpertError: If the dense model keeps its layers otherwise than Llama.
        """
        super().__init__()
        config = vllm_config.model_config.hf_config
        self.language_model = init_vllm_registered_model(
            vllm_config,
            prefix=maybe_prefix(prefix, _INNER),
            architectures=[getattr(config, BASE_ARCHITECTURE)],
        )
        self._directory = Path(vllm_config.model_config.model).parent
        experts = read_experts(self._directory)
        self._experts: Experts | None = experts
        layers = getattr(getattr(self.language_model, "model", None), "layers", None)
        if not isinstance(layers, nn.ModuleList):
            raise ExpertError(
                f"vLLM's {type(self.language_model).__name__} keeps its layers elsewhere than in "
                "`model.layers`; serve a reader made of a model such as Llama, Mistral or Qwen"
            )
        # vLLM sets the default type and device to the model's while it is built.
        self._wrapped = install_experts(
            list(layers), experts.options, config.hidden_size, like=torch.empty(0)
        )

    def embed_input_ids(self, input_ids: Tensor) -> Tensor:
        """Look tokens up, `(tokens, hidden)`."""
        embedded: Tensor = self.language_model.embed_input_ids(input_ids)
        return embedded

    def forward(
        self,
        input_ids: Tensor | None,
        positions: Tensor,
        intermediate_tensors: Any = None,  # noqa: ANN401 - vLLM's
        inputs_embeds: Tensor | None = None,
    ) -> Any:  # noqa: ANN401 - states, or what goes to the next process
        """The dense model's, with its refined MLPs."""
        return self.language_model(input_ids, positions, intermediate_tensors, inputs_embeds)

    def compute_logits(self, hidden_states: Tensor) -> Tensor | None:
        """Of the whole vocabulary, `(tokens, vocab)`."""
        logits: Tensor | None = self.language_model.compute_logits(hidden_states)
        return logits

    def make_empty_intermediate_tensors(
        self, batch_size: int, dtype: torch.dtype, device: torch.device
    ) -> Any:  # noqa: ANN401 - vLLM's
        """What a process gets from the one that computes the layers before its own."""
        return self.language_model.make_empty_intermediate_tensors(batch_size, dtype, device)

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> set[str]:
        """Fill the dense model by vLLM's loader, and the experts from the reader's files.

        Returns:
            The names of the parameters that are filled.
        """
        numbers = self._wrapped.keys()
        experts = self._experts or read_experts(self._directory)
        self._experts = None  # so that no copy stays beside those that compute
        load_expert_state(
            self, {k: v for k, v in experts.state.items() if int(k.split(".")[1]) in numbers}
        )
        renamed = ((dense_name(name, numbers), tensor) for name, tensor in weights)
        loaded = {f"{_INNER}.{name}" for name in self.language_model.load_weights(renamed)}
        wrapped = {id(layer) for layer in self._wrapped.values()}
        for name, module in self.named_modules():
            if id(module) in wrapped:
                loaded |= {f"{name}.{own}" for own, _ in module.named_parameters(recurse=False)}
        return loaded
