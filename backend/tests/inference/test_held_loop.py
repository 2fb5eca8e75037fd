"""An event loop that is held past a deadline: what an engine has written until then counts, and silence is still noticed."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvloop

from app.errors import EngineBroken, EngineError
from app.inference.control_tokens import ControlTokens
from app.inference.deadline import Deadline
from app.inference.engines import Engines
from app.inference.passage import Passage
from app.inference.vllm_client import StreamLimits, VllmClient, engine_session
from app.ports import Generation, Piece, Turn
from app.utils.measures import Measures

QUESTION = Generation("scripted", (Turn("user", "Hi"),), 100)
LIMIT_S = 0.5
LONG_S = 60.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def part(**choice: Any) -> bytes:
    """Return one chunk of an answer as it stands on the wire."""
    event = f"data: {json.dumps({'choices': [{'index': 0, **choice}]})}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


def word(text: str) -> bytes:
    return part(delta={"content": text})


END = part(delta={}, finish_reason="stop") + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Engine:
    """An engine whose bytes are in our socket as soon as it has written them, whatever our loop does."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"

    async def asked(self) -> None:
        """Wait for a request."""
        self._connection, _ = await asyncio.to_thread(self._listening.accept)
        await asyncio.to_thread(self._connection.recv, 65536)

    def write(self, data: bytes) -> None:
        """Write at once."""
        self._connection.sendall(data)

    def close(self) -> None:
        self._connection.close()
        self._listening.close()


def hold() -> None:
    """Keep the loop from doing anything until the limit has long passed."""
    time.sleep(LIMIT_S + 0.2)


@asynccontextmanager
async def asking(first_s: float, idle_s: float) -> AsyncIterator[tuple[Engine, aiohttp.ClientSession, Any]]:
    engine = Engine()
    async with engine_session(None) as session:
        engines, limits = Engines([engine.url]), StreamLimits(first_s, idle_s)
        client = VllmClient(session, engines, limits, ControlTokens(Path("/nowhere")), Measures())
        try:
            yield engine, session, (client, Passage(session, engines, limits, whole_s=LONG_S))
        finally:
            engine.close()


async def answer(client: VllmClient) -> str:
    """Return the text of a whole answer."""
    async with client.stream(QUESTION) as stream:
        batches = [items async for items in stream]
    return "".join(item.text for items in batches for item in items if isinstance(item, Piece))


async def first_text_while_held() -> None:
    async with asking(LIMIT_S, LONG_S) as (engine, _, (client, _passage)):
        whole = asyncio.create_task(answer(client))
        await engine.asked()
        engine.write(HEAD + word("there ") + word("already") + END)
        hold()
        assert await whole == "there already"


async def later_text_while_held() -> None:
    async with asking(LONG_S, LIMIT_S) as (engine, _, (client, _passage)):
        whole = asyncio.create_task(answer(client))
        await engine.asked()
        engine.write(HEAD + word("one "))
        for text in ("two ", "three "):
            await asyncio.to_thread(lambda: None)  # until it waits for more
            await asyncio.sleep(LIMIT_S / 2)
            engine.write(word(text))
            hold()
        await asyncio.sleep(LIMIT_S / 2)
        engine.write(END)
        assert await whole == "one two three "


async def silence_before_and_after() -> None:
    async with asking(LIMIT_S, LONG_S) as (engine, _, (client, _passage)):
        whole = asyncio.create_task(answer(client))
        await engine.asked()
        with pytest.raises(EngineError) as failed:
            await whole
        assert failed.value.code == "first_token_timeout"
    async with asking(LONG_S, LIMIT_S) as (engine, _, (client, _passage)):
        whole = asyncio.create_task(answer(client))
        await engine.asked()
        engine.write(HEAD + word("one ") + b"5\r\n: hm\n\r\n")
        hold()
        with pytest.raises(EngineBroken) as broken:
            await whole
        assert broken.value.code == "engine_idle"


async def passed_on_while_held() -> None:
    async with asking(LIMIT_S, LIMIT_S) as (engine, _, (_client, passage)):

        async def pass_on() -> bytes:
            async with (
                passage.post("chat/completions", None, b"{}", streamed=True) as reply,
                aclosing(reply.body) as body,
            ):
                return b"".join([part async for part in body])

        whole = asyncio.create_task(pass_on())
        await engine.asked()
        engine.write(HEAD)
        hold()
        await asyncio.sleep(LIMIT_S / 2)
        engine.write(word("there") + END)
        hold()
        assert b"there" in await whole


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "play",
    [first_text_while_held, later_text_while_held, silence_before_and_after, passed_on_while_held],
    ids=lambda play: play.__name__,
)
def test_a_held_loop_ends_no_answer_whose_bytes_are_there(
    play: Callable[[], Awaitable[None]], loop: str
) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await play()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(within())


async def test_a_deadline_that_is_moved_while_it_is_looked_at_again_begins_anew() -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    deadline = Deadline(loop.time() - 1, over.set)
    deadline.arm()
    await asyncio.sleep(0)
    deadline.at = loop.time() + 0.2
    asked_at = loop.time()
    async with asyncio.timeout(10):
        await over.wait()

    assert loop.time() >= asked_at + 0.2
    deadline.disarm()
