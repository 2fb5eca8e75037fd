"""WebSocket text frames, made once for all who get the same text, and the name under which they can be written.

Opens no connection and knows no protocol above.
"""

FRAMES = "vllm_chat.text_frames"
"""The extension of a WebSocket's ASGI scope: a function that writes a whole frame at once, or returns False."""

SHORT, MEDIUM = 125, 0xFFFF  # RFC 6455, 5.2


def text_frame(text: str) -> bytes:
    """Return a frame as servers send it: whole, not masked, not compressed."""
    return utf8_frame(text.encode())


def utf8_frame(data: bytes) -> bytes:
    """Return the frame of a text that is encoded already."""
    length = len(data)
    if length <= SHORT:
        return b"\x81" + length.to_bytes(1, "big") + data
    if length <= MEDIUM:
        return b"\x81\x7e" + length.to_bytes(2, "big") + data
    return b"\x81\x7f" + length.to_bytes(8, "big") + data
