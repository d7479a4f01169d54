"""How many experts, how wide, and where: plain values, free of torch."""

from dataclasses import dataclass

from xorag.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ExpertOptions:
    """The shape of the experts that a model is given (Open-RAG, arXiv 2410.01782)."""

    experts: int = 8
    """Experts a layer."""
    width: int = 64
    """Width of each expert between its two linear maps; published: 512."""
    top_k: int = 2
    """Experts that each token is sent to."""
    scale: float = 0.25
    """What the experts' outputs are multiplied by before they are added."""
    dropout: float = 0.0
    """Share of the experts' input that is dropped in training."""
    layers: tuple[int, ...] | None = None
    """Numbers of the decoder layers that get experts, from 0; None: all."""

    def __post_init__(self) -> None:
        faults = [
            f"experts.{name} must be at least 1, got {value}"
            for name, value in (
                ("experts", self.experts),
                ("width", self.width),
                ("top_k", self.top_k),
            )
            if value < 1
        ]
        if self.top_k > self.experts:
            faults.append(
                f"experts.top_k is {self.top_k}, but a layer has only {self.experts} experts"
            )
        if not 0 <= self.dropout < 1:
            faults.append(f"experts.dropout must be at least 0 and below 1, got {self.dropout}")
        faults += _layer_faults(self.layers)
        if faults:
            raise ConfigError("; ".join(faults))


def _layer_faults(layers: tuple[int, ...] | None) -> list[str]:
    if layers is None:
        return []
    if not layers:
        return ["experts.layers names no layer; leave it out for all of them"]
    faults = [f"experts.layers has {n}, but layers count from 0" for n in layers if n < 0]
    if len(set(layers)) < len(layers):
        faults.append(f"experts.layers names a layer twice: {list(layers)}")
    return faults
