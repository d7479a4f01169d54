"""The verdicts on claims, in the words of the data sets that hold them."""

from collections.abc import Mapping
from types import MappingProxyType

TRUE, FALSE = "True", "False"

_VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "true": TRUE,
        "supports": TRUE,
        "supported": TRUE,
        "false": FALSE,
        "refutes": FALSE,
        "refuted": FALSE,
        "not_supported": FALSE,  # HoVer's word for a claim that its evidence contradicts
    }
)


def verdict(label: str) -> str | None:
    """`True` or `False` for a label of a data set; None for any other, such as `mixture`.

    Examples:
        >>> verdict("SUPPORTS"), verdict("refutes"), verdict("NOT ENOUGH INFO")
        ('True', 'False', None)
    """
    return _VERDICTS.get(label.strip().lower())
