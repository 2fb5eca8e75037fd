"""The HTTP side of the contract, as a program uses it.

Does not keep state; each call returns the parsed answer.
"""

import asyncio
import concurrent.futures
import json
from collections.abc import Iterator
from typing import Any

import httpx2

from e2e.deadline import eventually

Json = dict[str, Any]
ENDED = ("completed", "stopped", "interrupted", "failed")


class Rest:
    """The API below one origin."""

    def __init__(self, origin: str) -> None:
        self.client = httpx2.Client(base_url=origin, timeout=httpx2.Timeout(10, read=60), trust_env=False)

    def close(self) -> None:
        """Close its connections."""
        self.client.close()

    def call(self, method: str, path: str, body: Json | None = None, *, status: int | None = None) -> Any:
        """Return the parsed answer, None where it has no body.

        Raises:
            AssertionError: the status is not the one given, or not a success where none is given.
        """
        answer = self.client.request(method, path, json=body)
        right = answer.is_success if status is None else answer.status_code == status
        assert right, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def new_chat(self, **fields: Any) -> Json:
        """Create a chat."""
        return self.call("POST", "/api/chats/", fields)

    def chat(self, chat_id: str) -> Json:
        """Return a chat with the whole tree of its messages."""
        return self.call("GET", f"/api/chats/{chat_id}")

    def chats(self) -> list[Json]:
        """Return the chats of the first page of the list."""
        return self.call("GET", "/api/chats/?limit=100")["items"]

    def start(self, chat_id: str, content: str | None = None, **fields: Any) -> Json:
        """Start a run: `{run, user_message, assistant_message}`."""
        message = {} if content is None else {"message": {"content": content}}
        return self.call("POST", f"/api/chats/{chat_id}/runs", {**message, **fields}, status=202)

    def ask(self, content: str, *, chat: Json | None = None, **fields: Any) -> Json:
        """Start a run, in a new chat unless told, and return it when it has ended."""
        chat_id = (chat or self.new_chat())["id"]
        started = self.start(chat_id, content, **fields)
        return {**started, "run": self.ended(started["run"]["id"])}

    def run(self, run_id: str) -> Json:
        """Return the snapshot of a run."""
        return self.call("GET", f"/api/runs/{run_id}")

    def stop(self, run_id: str, seen_seq: int | None = None) -> Json:
        """Stop a run: `{run, receipt}`."""
        body = {} if seen_seq is None else {"seen_seq": seen_seq}
        return self.call("POST", f"/api/runs/{run_id}/stop", body, status=200)

    def ended(self, run_id: str, within_s: float = 30) -> Json:
        """Return the run when it has ended."""

        def end() -> Json | None:
            run = self.run(run_id)["run"]
            return run if run["status"] in ENDED else None

        return eventually(end, within_s, f"run {run_id} to end") or {}

    def message(self, chat_id: str, message_id: str) -> Json:
        """Return one message of a chat."""
        return next(found for found in self.chat(chat_id)["messages"] if found["id"] == message_id)

    def events(self, run_id: str, after_seq: int = 0) -> Iterator[Json]:
        """Give the events of a run until it ends, as SSE brings them, checked against their ids and types."""
        path = f"/api/runs/{run_id}/events?after_seq={after_seq}"
        with self.client.stream("GET", path) as answer:
            assert answer.status_code == 200, answer.status_code
            yield from server_sent(answer.iter_lines())

    def together(self, requests: list[tuple[str, str, Json]]) -> list[httpx2.Response]:
        """Send all requests at once, each on a connection of its own, and return their answers."""

        async def one(client: httpx2.AsyncClient, request: tuple[str, str, Json]) -> httpx2.Response:
            method, path, body = request
            return await client.request(method, path, json=body)

        async def all_of_them() -> list[httpx2.Response]:
            limits = httpx2.Limits(max_connections=len(requests))
            async with httpx2.AsyncClient(
                base_url=self.client.base_url, timeout=30, trust_env=False, limits=limits
            ) as client:
                return await asyncio.gather(*(one(client, request) for request in requests))

        with concurrent.futures.ThreadPoolExecutor(1) as thread:  # playwright has a loop in this one
            return thread.submit(asyncio.run, all_of_them()).result()

    def clear(self) -> None:
        """Delete every chat."""
        while chats := self.chats():
            for chat in chats:
                self.call("DELETE", f"/api/chats/{chat['id']}", status=204)


def server_sent(lines: Iterator[str]) -> Iterator[Json]:
    """Give the events of an SSE body, checked against their `id:` and `event:` fields."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif not line and "data" in fields:
            event = json.loads(fields["data"])
            assert (fields["id"], fields["event"]) == (str(event["seq"]), event["type"])
            fields = {}
            yield event
