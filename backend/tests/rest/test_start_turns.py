"""Starts of runs come in by turns: few at a time, in their order, and nobody who only begins to send takes a turn."""

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from app.api.start_turns import StartTurns

PATH = "/api/chats/4f2c/runs"


class Door:
    """An application that takes note of who is inside, and lets out whom it is told to."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.bodies: dict[str, list[Message]] = {}
        self.out: dict[str, asyncio.Event] = {}
        self.turns = StartTurns(self._app, at_once=2)

    async def _app(self, scope: Scope, receive: Receive, _send: Send) -> None:
        name = scope["name"]
        self.inside.append(name)
        self.bodies[name] = [await receive()]
        while self.bodies[name][-1].get("more_body"):
            self.bodies[name].append(await receive())
        await self.out.setdefault(name, asyncio.Event()).wait()
        self.inside.remove(name)

    def let_out(self, name: str) -> None:
        self.out.setdefault(name, asyncio.Event()).set()

    def knock(self, name: str, *sent: Message, method: str = "POST", path: str = PATH) -> asyncio.Task[None]:
        scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "name": name}
        messages = asyncio.Queue[Message]()
        for message in sent or (part(name),):
            messages.put_nowait(message)

        async def send(_message: Message) -> None:
            """Nobody listens."""

        return asyncio.create_task(self.turns(scope, messages.get, send))


def part(text: str, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": text.encode(), "more_body": more}


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_starts_come_in_by_turns_and_in_their_order() -> None:
    door = Door()
    asked = [door.knock(name) for name in "abcd"]
    await settled()
    assert door.inside == ["a", "b"]

    door.let_out("b")
    await settled()
    assert door.inside == ["a", "c"]

    for name in "abcd":
        door.let_out(name)
    await asyncio.gather(*asked)


async def test_everything_else_comes_in_at_once() -> None:
    door = Door()
    others = [
        door.knock("stop", path="/api/runs/4f2c/stop"),
        door.knock("join", path="/api/chats/4f2c/messages"),
        door.knock("look", method="GET"),
    ]
    starts = [door.knock(name, path=f"{PATH}/") for name in "abc"]
    await settled()
    assert sorted(door.inside) == ["a", "b", "join", "look", "stop"]

    for name in ("stop", "join", "look", *"abc"):
        door.let_out(name)
    await asyncio.gather(*others, *starts)


async def test_who_has_not_sent_everything_takes_no_turn() -> None:
    door = Door()
    slow = [door.knock(name, part("1", more=True)) for name in ("slow", "slower")]
    quick = door.knock("quick", part("1", more=True), part("2"))
    await settled()
    assert door.inside == ["quick"]
    assert [message["body"] for message in door.bodies["quick"]] == [b"1", b"2"]

    door.let_out("quick")
    await quick
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_a_start_that_fails_gives_its_turn_back() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError

    door = Door()
    door.turns = StartTurns(fails, at_once=1)
    outcomes = await asyncio.gather(*(door.knock(name) for name in "abc"), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ValueError] * 3
