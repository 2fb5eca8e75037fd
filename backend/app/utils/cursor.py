"""Opaque cursors: a short list of plain values as one word for a URL.

What the values mean is their maker's business, and checking them too.
"""

import base64
import binascii
import json


def encode_cursor(values: list[bool | int | str]) -> str:
    """Return the word for these values."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(word: str) -> list[bool | int | str]:
    """Return the values of a word.

    Raises:
        ValueError: `encode_cursor` did not make it.
    """
    try:
        values = json.loads(base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, RecursionError) as error:
        raise ValueError("not a cursor") from error
    if not isinstance(values, list) or not all(isinstance(value, bool | int | str) for value in values):
        raise ValueError("not a cursor")
    return values
