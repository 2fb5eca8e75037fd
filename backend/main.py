"""The composition root: builds adapters and services and runs the server. The only place that wires.

`python backend/main.py` serves; `python backend/main.py openapi` prints the contract.
"""

import gc

# Nothing that an import makes is ever garbage: looking for some was a sixth of the time to start.
gc.disable()

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvloop
from pydantic import ValidationError
from starlette.types import ASGIApp

from app.api.app import create_app
from app.api.contract import document_text
from app.api.deps import LOCAL_USER, Services
from app.api.limits import guard
from app.api.server import Drain, bind, serve
from app.config import Settings
from app.errors import StartError
from app.inference.control_tokens import ControlTokens
from app.inference.engine_health import EngineHealth
from app.inference.engine_host import EngineHost
from app.inference.engine_metrics import EngineMetrics
from app.inference.engines import Engines
from app.inference.model_catalogue import ModelCatalogue
from app.inference.passage import Passage
from app.inference.token_counter import EngineTokenCounter
from app.inference.token_ids import EngineTokenizer
from app.inference.vllm_client import StreamLimits, VllmClient, engine_session
from app.realtime.gateway import Gateway
from app.realtime.mount import Mount
from app.realtime.plain_socket import PlainSockets
from app.realtime.rooms import Rooms
from app.realtime.socket_places import SocketPlaces
from app.realtime.socket_turns import SocketTurns
from app.repositories.journal_opening import opened_journal
from app.repositories.memory import MemoryStorage
from app.repositories.opening import opened
from app.repositories.storage import Storage
from app.services.chat_clearing import ChatClearing
from app.services.chat_forking import ChatForking
from app.services.chat_joining import ChatJoining
from app.services.chat_service import ChatService
from app.services.chat_titling import ChatTitling
from app.services.completion_service import CompletionService
from app.services.counted_events import CountedEvents
from app.services.export_service import ExportService
from app.services.gateway_service import GatewayService
from app.services.health_service import HealthService
from app.services.import_service import ImportService
from app.services.label_service import LabelService
from app.services.message_service import MessageService
from app.services.preset_service import PresetService
from app.services.run_continuation import RunContinuation
from app.services.run_parts import RunParts, run_parts
from app.services.run_recovery import recover
from app.services.run_service import RunService
from app.services.search_service import SearchService
from app.services.vllm_service import VllmService
from app.utils import logs
from app.utils.clock import SystemClock
from app.utils.measures import Measures

gc.freeze()
gc.enable()

# The journal's thread needs the interpreter a few times for each commit, and waits so long for a busy event loop:
# with Python's own 5 ms a commit took 5.8 ms under load, with this 2.4 ms.
THREAD_SWITCH_S = 0.0005
EXIT_USAGE, EXIT_SETTINGS, EXIT_START = 2, 2, 3


class Running(NamedTuple):
    """The whole application, and how its work is brought to an end while it is still served."""

    app: ASGIApp
    drain: Drain
    parts: RunParts
    rooms: Rooms
    services: Services


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Give the whole application, ready to be served, and close everything in the end.

    Raises:
        StartError: it cannot start; the message says what to do.
    """
    async with (
        opened(settings.database_url) as database,
        opened_journal(database) as opened_runs,
        engine_session(
            settings.vllm_api_key.get_secret_value() if settings.vllm_api_key else None
        ) as session,
    ):
        memory = MemoryStorage()
        storage, clock, rooms, measures = Storage(database, memory), SystemClock(), Rooms(), Measures()
        limits = StreamLimits(settings.first_token_timeout_s, settings.idle_timeout_s)
        engines = Engines(settings.vllm_api_base_url)
        client = VllmClient(session, engines, limits, ControlTokens(settings.models_dir), measures)
        catalogue = ModelCatalogue(session, engines, settings.default_model, clock)
        host = EngineHost(settings.engine_status_file, settings.models_dir, clock)
        vllm = VllmService(catalogue, host)
        parts = run_parts(
            settings,
            storage,
            clock,
            CountedEvents(rooms, measures),
            client,
            catalogue,
            opened_runs.journal,
            EngineTokenizer(session, engines),
            EngineTokenCounter(session, engines),
            EngineMetrics(session, engines),
            EngineHealth(session, engines),
            opened_runs.past,
        )
        runs = RunService(parts, settings)
        opened_runs.journal.live_logs = parts.active.logs
        opened_runs.journal.on_commit = measures.commit.observe
        opened_runs.watch(parts.active.kept, parts.active.let_go)
        rooms.replay = parts.logs.replay
        chats = ChatService(storage, clock, rooms, runs, max_new_tokens=settings.max_new_tokens)
        completion = CompletionService(runs, parts, settings)
        services = Services(
            settings=settings,
            chats=chats,
            labels=LabelService(storage),
            messages=MessageService(
                storage, clock, rooms, runs, max_message_chars=settings.max_message_chars
            ),
            search=SearchService(storage, clock),
            runs=runs,
            run_view=parts.view,
            continuation=RunContinuation(runs, parts, settings),
            completion=completion,
            clearing=ChatClearing(storage, clock, rooms),
            presets=PresetService(storage, clock, max_new_tokens=settings.max_new_tokens),
            forking=ChatForking(storage, clock, rooms, runs),
            titling=ChatTitling(storage, clock, rooms, chats, completion),
            export=ExportService(storage, clock, chats),
            imports=ImportService(storage, clock, rooms),
            vllm=vllm,
            gateway=GatewayService(
                Passage(session, engines, limits, whole_s=settings.run_timeout_s),
                catalogue,
                parts.admission,
                max_new_tokens=settings.max_new_tokens,
            ),
            health=HealthService(storage, vllm, host),
            measures=measures,
        )
        measures.gauge("runs_running", "Runs that have their place.", parts.admission.running)
        measures.gauge("runs_queued", "Runs that wait for a place.", parts.admission.queued)
        measures.gauge("tasks", "Tasks of the event loop.", lambda: len(asyncio.all_tasks()))
        measures.gauge("sockets", "Connected Socket.IO sockets.", lambda: len(rooms))
        joining = ChatJoining(storage, chats, parts.active, parts.recall)
        places = SocketPlaces(settings.max_sockets, settings.max_sockets_per_user)
        gateway = Gateway(settings, rooms, joining, lambda _auth: LOCAL_USER, places)
        plain = PlainSockets(
            chats,
            runs,
            parts.view,
            user_id=LOCAL_USER,
            places=places,
            monotonic=clock.monotonic,
        )
        await services.chats.purge_deleted()
        await opened_runs.recovered(lambda known, only: recover(parts, known, only))
        catalogue.start()
        lag = asyncio.create_task(measures.sample_lag())
        try:
            app = SocketTurns(guard(Mount(create_app(services), gateway.server, plain), settings))
            yield Running(app, lambda hurry: runs.shutdown(settings.drain_s, hurry), parts, rooms, services)
        finally:
            await runs.shutdown(0)
            await gateway.server.shutdown()
            await catalogue.close()
            memory.close()
            lag.cancel()


async def _serve(settings: Settings, bound: socket.socket) -> None:
    async with running(settings) as whole:
        await serve(whole.app, bound, whole.drain)


def _start() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        for each in error.errors(include_input=False):
            name = ".".join(str(place) for place in each["loc"]).upper()
            sys.stderr.write(f"{name or 'settings'}: {each['msg'].removeprefix('Value error, ')}\n")
        return EXIT_SETTINGS
    if settings.auth_mode == "jwt":
        # Until people can log in: who asks for a login must not be served without one.
        sys.stderr.write("AUTH_MODE: jwt is not there yet; everybody would be let in. Set AUTH_MODE=none.\n")
        return EXIT_SETTINGS
    logs.set_up(settings.log_level)
    sys.setswitchinterval(THREAD_SWITCH_S)
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
