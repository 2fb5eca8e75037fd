"""A whole backend on a loopback port, in this process: what tests with real sockets talk to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn

from app.api.server import bind, config
from app.config import Settings
from main import Running, running

WITHIN_S = 20.0


@dataclass
class Backend:
    """A backend that serves, here or in a process of its own."""

    url: str
    http: httpx2.AsyncClient
    whole: Running | None = None

    @property
    def running(self) -> Running:
        """The parts of a backend in this process."""
        assert self.whole is not None
        return self.whole

    async def new_chat(self, **fields: Any) -> str:
        """Make a chat and return its id."""
        reply = await self.http.post("/api/chats/", json=fields)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    async def send(self, chat_id: str, content: str = "Hello", **fields: Any) -> dict[str, Any]:
        """Start a run and return its id with both messages."""
        reply = await self.http.post(
            f"/api/chats/{chat_id}/runs", json={"message": {"content": content}, **fields}
        )
        assert reply.status_code == 202, reply.text
        started: dict[str, Any] = reply.json()
        return started

    async def stop(self, run_id: str, **fields: Any) -> dict[str, Any]:
        """Stop a run."""
        reply = await self.http.post(f"/api/runs/{run_id}/stop", json=fields)
        assert reply.status_code == 200, reply.text
        stopped: dict[str, Any] = reply.json()
        return stopped

    async def events(self, run_id: str, after_seq: int = 0) -> list[dict[str, Any]]:
        """Follow a run to its end by SSE and return its events."""
        async with asyncio.timeout(WITHIN_S):
            reply = await self.http.get(f"/api/runs/{run_id}/events", params={"after_seq": after_seq})
        assert reply.status_code in {200, 204}, reply.text
        return sse_events(reply.text)

    async def messages(self, chat_id: str) -> list[dict[str, Any]]:
        """Return every message of a chat."""
        found: list[dict[str, Any]] = (await self.http.get(f"/api/chats/{chat_id}")).json()["messages"]
        return found


def sse_events(text: str) -> list[dict[str, Any]]:
    """Return the events of an SSE body; id, name and data of each must agree."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and line[0] != ":")
        if not fields:
            continue
        event = json.loads(fields["data"])
        assert fields == {"id": str(event["seq"]), "event": event["type"], "data": fields["data"]}
        events.append(event)
    return events


def told_text(events: list[dict[str, Any]], up_to: int | None = None) -> dict[str, str]:
    """Return the text of each channel that these events tell."""
    text = {"content": "", "reasoning": ""}
    for event in events:
        if event["type"] == "run.delta" and (up_to is None or event["seq"] <= up_to):
            text[event["channel"]] += event["text"]
    return text


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Backend]:
    """Serve the application as `main` does, and end it in the end."""
    bound = bind(settings.model_copy(update={"backend_port": 0}))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with running(settings) as whole:
        served = uvicorn.Server(config(whole.app))
        task = asyncio.create_task(served.serve(sockets=[bound]))
        async with httpx2.AsyncClient(base_url=url, timeout=WITHIN_S) as http:
            while not served.started:
                await asyncio.wait({task}, timeout=0.005)
            yield Backend(url, http, whole)
        served.should_exit = True
        await task
