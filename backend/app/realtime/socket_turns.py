"""Sockets come in a few at a time: a storm of them coming back would else be one turn of the loop, and halt every answer.

Refuses nobody. One that has been let in waits no more; how it then joins its chats, `Gateway` lets in by turns as well.
"""

import asyncio

from app.realtime.frames import App, Message, Receive, Scope, Send

AT_ONCE = 16  # a turn of the loop takes some milliseconds then, whatever the machine


class SocketTurns:
    """Lets handshakes of WebSockets in by turns, and everything else as it comes."""

    def __init__(self, app: App, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on; its turn ends with the first word it is told."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        has_turn = False

        def end_turn() -> None:
            nonlocal has_turn
            if has_turn:
                has_turn = False
                self._turns.release()

        async def told(message: Message) -> None:
            try:
                await send(message)
            finally:
                end_turn()

        await self._turns.acquire()
        has_turn = True
        try:
            # a handshake waits for nothing: without this all would be made in one turn of the loop
            await asyncio.sleep(0)
            await self._app(scope, receive, told)
        finally:
            end_turn()
