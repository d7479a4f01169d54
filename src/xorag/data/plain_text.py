"""Plain text in UTF-8."""

from xorag.errors import SourceError


def decode_text(content: bytes) -> str:
    r"""Decode text, with its line ends as `\n` and without a byte order mark.

    Raises:
        SourceError: If it is not UTF-8 text.
    """
    if b"\0" in content:
        raise SourceError("it is not text, it holds NUL bytes; turn it into UTF-8 text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(
            f"its line {line} is not valid UTF-8; turn it into UTF-8, for example with iconv"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
