"""The chunks of an OpenAI-compatible stream, from JSON to pieces of text: pure.

Knows both endpoints of vLLM (`delta` of chat, `text` of completions) and the three ways thinking comes in:
`reasoning`, `reasoning_content`, or `<think>` inside the content.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.errors import EngineBroken
from app.inference.stop_strings import StopStrings
from app.inference.thinking import ThinkSplitter
from app.ports import EngineItem, Finished, Piece, PromptSeen
from app.schemas.run import Channel

DONE = b"[DONE]"
QWEN_OPEN_THOUGHT_ID, QWEN_CLOSE_THOUGHT_ID = 151667, 151668  # the tags of every Qwen3
PROMPT_END_TOKENS = 2  # `<think>` and a line break: then the template has opened the thought


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    token_ids: list[int] | None = None
    prompt_token_ids: list[int] | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    error: Any = None
    prompt_token_ids: list[int] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


class ChunkDecoder:
    """Folds the data of events into items, merged per channel.

    After `failure` is set nothing more is to be fed: what came before it has been returned, and it is to be raised.
    """

    def __init__(
        self, *, inside_thought: bool = False, after_seam: bool = False, stop: Sequence[str] = ()
    ) -> None:
        self.failure: EngineBroken | None = None
        self.is_done = False
        self._splitter: ThinkSplitter | None = ThinkSplitter(inside=inside_thought, at_start=not after_seam)
        if after_seam and not inside_thought:
            self._splitter = None  # the thought is over: a tag is text from here on
        self._stop = StopStrings(stop)
        self._finish_reason: str | None = None
        self._usage: dict[str, Any] | None = None
        self._timings: dict[str, Any] | None = None
        self._items: list[EngineItem] = []
        self._channel: Channel = "reasoning" if inside_thought else "content"
        self._text: list[str] = []
        self._ids: list[int] = []
        self._held_ids: list[int] = []  # of tokens whose text is still to come, if they have one
        self._held: list[tuple[Channel, str]] = []
        self._has_written = False

    @property
    def closed_unopened(self) -> bool:
        """Whether a closing tag came without an opening one."""
        return self._splitter is not None and self._splitter.closed_unopened

    @property
    def ended_inside(self) -> bool:
        """Whether the model came to its own end in a thought that nothing has closed."""
        inside = self._splitter is not None and self._splitter.channel == "reasoning"
        return inside and self.is_done and self._finish_reason == "stop"

    def feed(self, events: list[bytes]) -> list[EngineItem]:
        """Return what these events bring; the last item after `[DONE]` is `Finished`."""
        for data in events:
            if self.is_done or self.failure is not None:
                break
            if data == DONE or data.strip() == DONE:
                self._end()
            else:
                self._chunk(data)
        if self.failure is not None:
            self._release()
        if not self.is_done:
            self._seal()
            self._seal_held()
        items, self._items = self._items, []
        return items

    def cut(self) -> list[EngineItem]:
        """Return what was held back when the stream ended before its time, and say so in `failure`."""
        self.failure = EngineBroken(
            "engine_lost", "The connection to the engine broke in the middle of the answer."
        )
        return self.feed([])

    def _chunk(self, data: bytes) -> None:
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.failure = EngineBroken("engine_malformed", "The engine sent something that is not a chunk.")
            return
        if chunk.error is not None:
            # A dying vLLM says `[DONE]` after this; it is an error all the same.
            self.failure = EngineBroken(
                "engine_error", "The engine reported an error in the middle of the answer."
            )
            return
        self._usage = chunk.usage or self._usage
        self._timings = chunk.metrics or self._timings
        self._prompt(chunk.prompt_token_ids)
        if chunk.choices:
            self._choice(chunk.choices[0])

    def _choice(self, choice: _Choice) -> None:
        self._prompt(choice.prompt_token_ids)
        self._held_ids += choice.token_ids or ()
        self._has_written = False
        delta = choice.delta
        if delta is not None:
            reasoning = delta.reasoning or delta.reasoning_content
            if reasoning:
                self._splitter = None  # this engine splits by itself: a tag in its content is text
                self._take_whole("reasoning", reasoning)
            if delta.content:
                self._content(delta.content)
        elif choice.text:
            self._content(choice.text)
        if self._held:
            self._pass_on()
        if self._has_written:
            self._give_ids()
        self._finish_reason = choice.finish_reason or self._finish_reason
        if self._stop.found and self._finish_reason is None:
            self._finish_reason = "stop"  # an engine that knows no stop strings would go on
            self._end()

    def _prompt(self, ids: list[int] | None) -> None:
        if not ids:
            return
        self._items.append(PromptSeen(tuple(ids)))
        end = ids[-PROMPT_END_TOKENS:]
        # With thinking off the template closes the thought it has opened.
        is_open = QWEN_OPEN_THOUGHT_ID in end and QWEN_CLOSE_THOUGHT_ID not in end
        if self._splitter is not None and is_open:
            self._splitter = ThinkSplitter(inside=True)
            self._channel = "reasoning"

    def _content(self, text: str) -> None:
        if self._splitter is None:
            self._take_whole("content", text)
            return
        if self._splitter.passes(text):
            self._take_whole(self._splitter.channel, text)
            return
        for channel, part in self._splitter.feed(text):
            self._take(channel, part)

    def _take_whole(self, channel: Channel, text: str) -> None:
        """Take text that no tag can be in: where there are no stop strings either, nothing can hold it back."""
        if self._held or self._stop.strings:
            self._take(channel, text)
        else:
            self._write(channel, text)

    def _take(self, channel: Channel, text: str) -> None:
        if self._held and self._held[-1][0] != channel:
            self._held.append((self._held[-1][0], self._stop.end()))  # none goes over the end of a thought
        self._held.append((channel, self._stop.feed(text)))

    def _pass_on(self) -> None:
        if self._stop.holds or (self._splitter is not None and self._splitter.holds):
            return  # part of a token's text is no use to whoever wants to go on after that token
        for channel, part in self._held:
            if part:
                self._write(channel, part)
        self._held = []

    def _write(self, channel: Channel, text: str) -> None:
        if channel != self._channel:
            self._seal()
            self._channel = channel
        self._text.append(text)
        self._has_written = True

    def _seal(self) -> None:
        if self._text or self._ids:
            self._items.append(Piece(self._channel, "".join(self._text), tuple(self._ids)))
            self._text, self._ids = [], []

    def _give_ids(self) -> None:
        """Give the text so far the tokens it came from: with the last of them its text ends."""
        self._ids += self._held_ids
        self._held_ids = []

    def _seal_held(self) -> None:
        if self._held_ids:
            self._items.append(Piece(self._channel, "", tuple(self._held_ids)))
            self._held_ids = []

    def _end(self) -> None:
        if self._finish_reason is None:
            self.failure = EngineBroken("engine_lost", "The engine's answer ended without a reason.")
            return
        self._release()
        self._seal()
        self._seal_held()
        self.is_done = True
        self._items.append(Finished(self._finish_reason, self._usage, self._timings))

    def _release(self) -> None:
        if self.failure is not None and self._stop.holds:
            self._held = []  # not shown, so that it comes again, whole, when the answer goes on
            return
        for channel, part in self._splitter.end() if self._splitter is not None else ():
            self._take(channel, part)
        if self._held:
            self._held.append((self._held[-1][0], self._stop.end()))
        released = [(channel, part) for channel, part in self._held if part]
        for channel, part in released:
            self._write(channel, part)
        if released:
            self._give_ids()
        self._held = []
