"""The composition root: builds adapters and services and runs the server. The only place that wires.

`python backend/main.py` serves; `python backend/main.py openapi` prints the contract.
"""

import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from loguru import logger
from pydantic import ValidationError
from starlette.types import ASGIApp

from app.api.app import create_app
from app.api.contract import document_text
from app.api.deps import Services
from app.api.limits import guard
from app.api.server import bind, serve
from app.config import Settings
from app.errors import StartError
from app.repositories.opening import opened
from app.repositories.storage import Storage
from app.schemas.message import Message
from app.schemas.numbered import Numbered
from app.schemas.run import Run
from app.services.chat_service import ChatService
from app.services.message_service import MessageService
from app.services.search_service import SearchService
from app.utils import logs
from app.utils.clock import SystemClock

EXIT_USAGE, EXIT_SETTINGS, EXIT_START = 2, 2, 3


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[ASGIApp]:
    """Give the whole application, ready to be served, and close everything in the end.

    Raises:
        StartError: it cannot start; the message says what to do.
    """
    async with opened(settings.database_url) as database:
        storage, clock = Storage(database), SystemClock()
        events, runs = _Unheard(), _NoRuns()
        services = Services(
            settings=settings,
            chats=ChatService(storage, clock, events, runs, max_new_tokens=settings.max_new_tokens),
            messages=MessageService(
                storage, clock, events, runs, max_message_chars=settings.max_message_chars
            ),
            search=SearchService(storage, clock),
        )
        await services.chats.purge_deleted()
        yield guard(create_app(services), settings)


class _Unheard:
    """Events before there is anybody to hear them."""

    def run_events(self, user_id: str, chat_id: str | None, events: Sequence[Numbered]) -> None:
        """Do nothing."""

    def user_event(self, user_id: str, event: dict[str, Any]) -> None:
        """Do nothing."""


class _NoRuns:
    """Runs before there are any."""

    async def stop_for_delete(self, user_id: str, run_id: str) -> None:
        """Do nothing."""

    def present(self, run: Run) -> Run:
        """Return it as it is."""
        return run

    def present_message(self, message: Message) -> Message:
        """Return it as it is."""
        return message


async def _serve(settings: Settings, bound: socket.socket) -> None:
    async with running(settings) as app:
        host, port = bound.getsockname()[:2]
        logger.info("listening on http://{}:{}", f"[{host}]" if ":" in host else host, port)
        await serve(app, settings, bound)


def _start() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        for each in error.errors(include_input=False):
            name = ".".join(str(place) for place in each["loc"]).upper()
            sys.stderr.write(f"{name or 'settings'}: {each['msg'].removeprefix('Value error, ')}\n")
        return EXIT_SETTINGS
    logs.set_up(settings.log_level)
    try:
        uvloop.run(_serve(settings, bind(settings)))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_START
    return 0


def main(arguments: list[str]) -> int:
    """Run a command and return the exit code of the process."""
    if not arguments:
        return _start()
    if arguments == ["openapi"]:
        sys.stdout.write(document_text(create_app(None)))
        return 0
    sys.stderr.write("usage: main.py [openapi]\n")
    return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
