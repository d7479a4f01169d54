"""Whether two encoders make the same embeddings.

Knows nothing of how they are loaded: it compares what manifests say.
"""

from xorag.artifact.manifest import EncoderSpec
from xorag.errors import IndexMismatchError

COMPARED = (
    "dimensions",
    "normalized",
    "pooling",
    "passage_prompt",
    "max_tokens",
    "append_eos",
    "title_separator",
    "metric",
    "multivector",
)
"""What changes a stored embedding, or how it is compared. The name does not: folders move."""


def spec_differences(stored: EncoderSpec, given: EncoderSpec) -> list[str]:
    """What differs between two encoders, for a sentence; empty if they agree."""
    found = [
        f"{name} {getattr(stored, name)!r} against {getattr(given, name)!r}"
        for name in COMPARED
        if getattr(stored, name) != getattr(given, name)
    ]
    if stored.fingerprint and given.fingerprint and stored.fingerprint != given.fingerprint:
        return ["other weights", *found]
    if not (stored.fingerprint and given.fingerprint) and stored.name != given.name:
        return ["another name", *found]
    return found


def require_same_encoder(stored: EncoderSpec, given: EncoderSpec) -> None:
    """Check that queries are encoded as the index's passages were.

    Raises:
        IndexMismatchError: If not; says what differs and how to rebuild.
    """
    differences = spec_differences(stored, given)
    if not differences:
        return
    if stored.name == given.name:
        raise IndexMismatchError(
            f"this index holds embeddings of {stored.name!r}, which differs from how it is used "
            f"now ({'; '.join(differences)}); give the options the index was built with, or "
            f"rebuild it in a new directory with `xorag index`"
        )
    raise IndexMismatchError(
        f"this index holds embeddings of {stored.name!r}, but queries are encoded by "
        f"{given.name!r} ({'; '.join(differences)}); leave out --encoder, or rebuild the index in "
        f"a new directory with `xorag index --encoder {given.name}`"
    )
