"""Server-sent events from bytes: incremental and pure.

Does not know what the data means.
"""

MAX_LINE_BYTES = (
    1024 * 1024
)  # far above any chunk of an engine; a line without an end must not fill the memory
_BOM = b"\xef\xbb\xbf"


class LineTooLongError(ValueError):
    """A line is over MAX_LINE_BYTES."""


class SseParser:
    """Cuts bytes into the data of events, whatever the slices they come in.

    Works on bytes: no byte of a multi-byte UTF-8 character looks like a line end, so nothing has to be decoded
    before a line is whole.
    """

    def __init__(self) -> None:
        self._rest = b""
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
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE_BYTES:
            raise LineTooLongError
        events: list[bytes] = []
        for line in lines:
            self._line(line, events)
        return events

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
