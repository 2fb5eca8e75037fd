"""Who may run now, who waits, who is refused. Pure bookkeeping: it starts nothing.

Every decision is one step without an await, so that nothing can come between looking and taking.
"""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from app.errors import Conflict, Overloaded

RETRY_AFTER_S = 5


@dataclass(eq=False)
class Ticket:
    """A run's place: running, or waiting until `granted`; `last`: behind everybody who is not."""

    run_id: str
    user_id: str
    chat_id: str | None
    last: bool = False
    granted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def running(self) -> bool:
        """Whether it has its place."""
        return self.granted.is_set()


class Admission:
    """Limits of runs at one time. Users take turns in the queue; each user's own runs keep their order."""

    def __init__(self, *, running: int, queued: int, per_user: int | None) -> None:
        self._max_running = running
        self._max_queued = queued
        self._max_per_user = per_user
        self._tickets: dict[str, Ticket] = {}
        self._chats: set[str] = set()
        self._running = 0
        self._queues: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._last: deque[Ticket] = deque()

    def __len__(self) -> int:
        return len(self._tickets)

    def running(self) -> int:
        """Return how many runs have their place."""
        return self._running

    def queued(self) -> int:
        """Return how many wait for one."""
        return len(self._tickets) - self._running

    def admit(self, run_id: str, user_id: str, chat_id: str | None, *, last: bool = False) -> Ticket:
        """Take a place to run, or one in the queue: with `last` behind everybody, those who come later too.

        Raises:
            Conflict: `run_active`: the chat has one already. `id_conflict`: another chat has a run of this id.
            Overloaded: `too_many_runs`: no place is left, or none for this user.
        """
        if chat_id is not None and chat_id in self._chats:
            raise Conflict("run_active", "This chat has a run that has not ended.")
        if run_id in self._tickets:
            raise Conflict("id_conflict", "Another run has this id.")
        mine = sum(ticket.user_id == user_id for ticket in self._tickets.values())
        if self._max_per_user is not None and mine >= self._max_per_user:
            raise Overloaded(
                "too_many_runs",
                f"At most {self._max_per_user} runs at a time for one user.",
                retry_after_s=RETRY_AFTER_S,
                limit=self._max_per_user,
            )
        waiting = len(self._tickets) - self._running
        may_run = self._running < self._max_running and not waiting
        if not may_run and waiting >= self._max_queued:
            raise Overloaded(
                "too_many_runs",
                "All places are taken and the queue is full. Try again soon.",
                retry_after_s=RETRY_AFTER_S,
                limit=self._max_running + self._max_queued,
            )
        return self._take(Ticket(run_id, user_id, chat_id, last), may_run=may_run)

    def readmit(self, run_id: str, user_id: str, chat_id: str) -> Ticket:
        """Take a place for a run that was admitted before a restart: it waits if it must, and is never refused."""
        may_run = self._running < self._max_running and len(self._tickets) == self._running
        return self._take(Ticket(run_id, user_id, chat_id), may_run=may_run)

    def release(self, ticket: Ticket) -> None:
        """Give a place back, which lets the next in the queue run."""
        if self._tickets.pop(ticket.run_id, None) is None:
            return
        if ticket.chat_id is not None:
            self._chats.discard(ticket.chat_id)
        if ticket.running:
            self._running -= 1
        else:
            self._leave_queue(ticket)
        while self._running < self._max_running and (self._queues or self._last):
            self._grant_next()

    def position(self, run_id: str) -> int | None:
        """Return the place in the queue, 1 being the next to run, or None when it does not wait."""
        return next((place for place, ticket in self.queue() if ticket.run_id == run_id), None)

    def queue(self) -> list[tuple[int, Ticket]]:
        """Return who waits, in the order of their turns."""
        order: list[Ticket] = []
        rounds = [list(queue) for queue in self._queues.values()]
        for turn in range(max(map(len, rounds), default=0)):
            order.extend(queue[turn] for queue in rounds if turn < len(queue))
        order.extend(self._last)
        return list(enumerate(order, start=1))

    def _take(self, ticket: Ticket, *, may_run: bool) -> Ticket:
        self._tickets[ticket.run_id] = ticket
        if ticket.chat_id is not None:
            self._chats.add(ticket.chat_id)
        if may_run:
            self._running += 1
            ticket.granted.set()
        elif ticket.last:
            self._last.append(ticket)
        else:
            self._queues.setdefault(ticket.user_id, deque()).append(ticket)
        return ticket

    def _grant_next(self) -> None:
        self._running += 1
        if not self._queues:
            self._last.popleft().granted.set()
            return
        user_id, queue = next(iter(self._queues.items()))
        ticket = queue.popleft()
        if queue:
            self._queues.move_to_end(user_id)
        else:
            del self._queues[user_id]
        ticket.granted.set()

    def _leave_queue(self, ticket: Ticket) -> None:
        if ticket.last:
            self._last.remove(ticket)
            return
        queue = self._queues.get(ticket.user_id)
        if queue is None:
            return
        queue.remove(ticket)
        if not queue:
            del self._queues[ticket.user_id]
