"""Server-sent events from bytes: incremental and pure.

Does not know what the data means.
"""

# The first chunk has the ids of the whole prompt in one line, seven bytes for each: a context of two million tokens.
# A line without an end must not fill the memory.
MAX_LINE_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class LineTooLongError(ValueError):
    """A line is over MAX_LINE_BYTES."""


class SseParser:
    """Cuts bytes into the data of events, whatever the slices they come in.

    Works on bytes: no byte of a multi-byte UTF-8 character looks like a line end, so nothing has to be decoded
    before a line is whole.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the line that has not ended: a long one is put together once
        self._size = 0
        self._data: list[bytes] = []
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that `chunk` completes, in order.

        Raises:
            LineTooLongError: a line is over its limit.
        """
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            # The other half of a CRLF may come with the next chunk.
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        self._pieces.append(chunk)
        lines = b"".join(self._pieces).split(b"\n")
        self._pieces, self._size = [], 0
        self._keep(lines.pop())
        events: list[bytes] = []
        for line in lines:
            self._line(line, events)
        return events

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MAX_LINE_BYTES:
            raise LineTooLongError

    def _line(self, line: bytes, events: list[bytes]) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise LineTooLongError
        if self._at_start:
            line = line.removeprefix(_BOM)
            self._at_start = False
        if not line:
            if self._data:
                events.append(b"\n".join(self._data))
                self._data = []
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        # `event`, `id`, `retry`, unknown fields and comments (an empty name) say nothing here
