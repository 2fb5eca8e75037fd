"""One question put to a lane's backend, and its answer followed to the end and checked by every law.

For tests that choose their fault themselves; rounds draw theirs.
"""

from dataclasses import dataclass
from typing import Any

from tests.faults import laws
from tests.faults.follower import Door, Follower, Json
from tests.faults.lane import Lane


@dataclass
class Question:
    """A question that has been sent, or is to be."""

    lane: Lane
    chat_id: str
    run_id: str
    message_id: str
    content: str
    reader: Follower

    async def send(self, **options: Any) -> Json:
        """Send it, as often as it takes."""
        body: Json = {"run_id": self.run_id, "message": {"id": self.message_id, "content": self.content}}
        return await self.lane.say("POST", f"/api/chats/{self.chat_id}/runs", body | options)

    async def checked(self, *, status: str = "completed") -> Json:
        """Follow it to its end, check every law, and return the stored answer."""
        ended = await self.reader.until_ended()
        chat = await self.lane.say("GET", f"/api/chats/{self.chat_id}", direct=True)
        assert [message["role"] for message in chat["messages"]] == ["user", "assistant"]
        assert chat["active_run"] is None
        assert chat["messages"][0]["id"] == self.message_id
        stored: Json = chat["messages"][1]
        events = await self.lane.events(self.run_id)
        found = laws.broken_by_events(events, stored) if events else []
        found += laws.broken_by_requests(self.lane.requests_of(self.content), stored)
        found += self.reader.problems
        found += laws.broken_by_reader(self.reader.sent, events, ended, stored)
        assert found == []
        assert stored["status"] == status, stored["metadata"]
        return stored


async def question(lane: Lane, content: str = "a question", *, door: Door = "socket") -> Question:
    """Make a chat with a reader in it, and a question that is not sent yet."""
    chat_id, run_id, message_id = lane.id(), lane.id(), lane.id()
    await lane.say("POST", "/api/chats/", {"id": chat_id})
    reader = Follower(lane.to_backend.url, chat_id, run_id, door=door, seed=lane.dice.getrandbits(32))
    reader.start(lane.session)
    lane.readers.append(reader)
    return Question(lane, chat_id, run_id, message_id, content, reader)
