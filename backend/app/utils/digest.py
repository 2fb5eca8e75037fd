"""A short fingerprint of a JSON value, the same whatever the order of its keys.

Not for secrets.
"""

import hashlib
import json


def digest(value: object) -> str:
    """Return the SHA-256 of a JSON value in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
