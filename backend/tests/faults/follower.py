"""A reader that never gives up: follows one chat's run over Socket.IO or SSE by the rule of the contract.

`seq <= mine` is dropped, `mine + 1` applied, anything else is a gap to join again for; at `run.ended` it takes the message.
Writes down every event it was ever sent, and what of the contract was broken on the way.
"""

import asyncio
import contextlib
import json
import random
from typing import Any, Literal

import aiohttp

Json = dict[str, Any]
Door = Literal["socket", "sse"]
RETRY_S = 0.02
ENDED = {"completed", "stopped", "interrupted", "failed"}
WITHIN_S = 10.0


class Follower:
    """Follows one run from its beginning to its end, whatever happens to its connection."""

    def __init__(self, url: str, chat_id: str, run_id: str, *, door: Door = "socket", seed: int = 0) -> None:
        self.url = url
        self.chat_id = chat_id
        self.run_id = run_id
        self.door = door
        self.seq = 0
        self.text = {"content": "", "reasoning": ""}
        self.sent: dict[int, Json] = {}
        self.ended: Json | None = None
        self.problems: list[str] = []
        self.joined = 0
        self.gaps = 0
        self.refused = 0
        self.moved = asyncio.Event()
        self._dice = random.Random(seed)  # noqa: S311
        self._task: asyncio.Task[None] | None = None
        self._drop = asyncio.Event()

    # --- for tests ---

    def start(self, session: aiohttp.ClientSession) -> None:
        """Begin to follow."""
        self._task = asyncio.create_task(self._run(session))

    def drop(self) -> None:
        """Lose the connection; it comes back by itself."""
        self._drop.set()

    async def until_seq(self, seq: int, within_s: float = WITHIN_S) -> None:
        """Wait until so many events have been applied, or the run has ended."""
        async with asyncio.timeout(within_s):
            while self.seq < seq and self.ended is None:
                self.moved.clear()
                await self.moved.wait()

    async def until_text(self, part: str, within_s: float = WITHIN_S) -> None:
        """Wait until a text is shown, or the run has ended."""
        async with asyncio.timeout(within_s):
            while part not in self.text["reasoning"] + self.text["content"] and self.ended is None:
                self.moved.clear()
                await self.moved.wait()

    async def until_ended(self, within_s: float = 30.0) -> Json:
        """Wait for the end of the run and return the stored message as this reader was told it."""
        try:
            async with asyncio.timeout(within_s):
                while self.ended is None:
                    self.moved.clear()
                    await self.moved.wait()
        except TimeoutError:
            raise AssertionError(f"no end of {self.run_id} within {within_s} s; at {self.seq}") from None
        return self.ended

    async def stop(self) -> None:
        """Follow no longer."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    # --- the rule ---

    def apply(self, event: Json) -> bool:
        """Apply a numbered event; False at a gap."""
        seq = event["seq"]
        known = self.sent.setdefault(seq, event)
        if known != event:
            self.problems.append(f"event {seq} was {known}, and is {event} now")
        if seq <= self.seq:
            return True
        if seq != self.seq + 1:
            self.gaps += 1
            return False
        self.seq = seq
        if event["type"] == "run.delta":
            self.text[event["channel"]] += event["text"]
        elif event["type"] == "run.ended":
            self._end(event["message"], event["text_seq"])
        self.moved.set()
        return True

    def _end(self, message: Json, text_seq: int | None) -> None:
        if self.ended is not None and self.ended != message:
            self.problems.append(f"two ends: {self.ended} and {message}")
        whole = {name: message[name] for name in self.text}
        if message["status"] != "stopped" or (text_seq is not None and text_seq >= self.seq - 1):
            for name, text in self.text.items():
                if not whole[name].startswith(text):
                    self.problems.append(f"{name} shown was {text!r}, stored is {whole[name]!r}")
        self.text = whole
        self.ended = message
        self.moved.set()

    def _snapshot(self, run: Json) -> None:
        if run["seq"] < self.seq:
            self.problems.append(f"a snapshot of {run['seq']} after event {self.seq} was shown")
            return
        for name, text in self.text.items():
            if not run[name].startswith(text):
                self.problems.append(f"{name} shown was {text!r}, the snapshot has {run[name]!r}")
        self.seq, self.text = run["seq"], {name: run[name] for name in self.text}
        self.moved.set()

    # --- the two doors ---

    async def _run(self, session: aiohttp.ClientSession) -> None:
        while self.ended is None:
            self._drop.clear()
            work = asyncio.create_task(self._sse(session) if self.door == "sse" else self._socket(session))
            dropped = asyncio.create_task(self._drop.wait())
            try:
                await asyncio.wait({work, dropped}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (work, dropped):
                    task.cancel()
                done = await asyncio.gather(work, dropped, return_exceptions=True)
            if isinstance(done[0], Exception) and not isinstance(
                done[0], aiohttp.ClientError | OSError | ConnectionError | TimeoutError
            ):
                self.problems.append(f"{type(done[0]).__name__}: {done[0]}")
                return
            if self.ended is None:
                await asyncio.sleep(RETRY_S)

    async def _sse(self, session: aiohttp.ClientSession) -> None:
        async with session.get(
            f"{self.url}/api/runs/{self.run_id}/events", headers={"Last-Event-ID": str(self.seq)}
        ) as reply:
            self.joined += 1
            if reply.status in {204, 410}:  # it ended while nobody looked
                await self._stored(session)
                return
            if reply.status != 200:  # not there before its sending has been answered, or the database is busy
                return
            async for raw in reply.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("data: ") and not self.apply(json.loads(line[6:])):
                    self.problems.append(f"SSE left a hole before {line[:80]}")

    async def _stored(self, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{self.url}/api/chats/{self.chat_id}") as reply:
            if reply.status != 200:
                return
            chat = await reply.json()
        self._take(chat)

    def _take(self, chat: Json) -> None:
        """Take the answer as the chat has it, when no run is live there."""
        if chat["active_run"] is None and chat["messages"]:
            answer = chat["messages"][-1]
            if answer["status"] not in ENDED:
                self.problems.append(f"no run is live, and its answer is {answer['status']}")
            self._end(answer, None)

    async def _socket(self, session: aiohttp.ClientSession) -> None:
        path = f"{self.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
        async with session.ws_connect(path, max_msg_size=0) as socket:
            await self._told(socket, "0")
            await socket.send_str("40")
            await self._told(socket, "40")
            await self._join(socket)
            while self.ended is None:
                frame = await self._frame(socket)
                if not frame.startswith("42["):
                    continue
                name, event = json.loads(frame[2:])
                if name.startswith("run.") and event["run_id"] == self.run_id and not self.apply(event):
                    await self._join(socket)

    async def _join(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        ask: Json = {"chat_id": self.chat_id}
        if self.seq and self._dice.random() < 0.5:
            ask |= {"run_id": self.run_id, "after_seq": self.seq}
        await socket.send_str(f"427{json.dumps(['chat.join', ask])}")
        early: list[Json] = []
        while not (frame := await self._frame(socket)).startswith("437["):
            if frame.startswith('42["run.'):
                early.append(json.loads(frame[2:])[1])
        self.joined += 1
        [answer] = json.loads(frame[3:])
        if not answer["ok"]:
            self.refused += 1
            raise ConnectionError(answer["error"]["code"])
        for event in answer.get("events", ()):
            self.apply(event)
        if "events" not in answer:
            run = answer["run"]
            if run is not None and run["run_id"] == self.run_id:
                self._snapshot(run)
            elif run is None and answer["chat"]["messages"]:
                self._take(answer["chat"])
        for event in early:
            if event["run_id"] == self.run_id:
                self.apply(event)

    async def _told(self, socket: aiohttp.ClientWebSocketResponse, start: str) -> None:
        while not (await self._frame(socket)).startswith(start):
            pass

    async def _frame(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError(str(message.type))
            if message.data != "2":
                return str(message.data)
            await socket.send_str("3")
