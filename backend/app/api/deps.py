"""What routes ask for: the services, who is asking, and ids from the path.

Parses; decides nothing.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from app.config import Settings
from app.errors import NotFound
from app.schemas.base import canonical_id
from app.services.chat_clearing import ChatClearing
from app.services.chat_forking import ChatForking
from app.services.chat_service import ChatService
from app.services.chat_titling import ChatTitling
from app.services.completion_service import CompletionService
from app.services.conversation import chat_not_found, message_not_found
from app.services.export_service import ExportService
from app.services.gateway_service import GatewayService
from app.services.health_service import HealthService
from app.services.import_service import ImportService
from app.services.label_service import LabelService
from app.services.message_service import MessageService
from app.services.preset_service import PresetService, preset_not_found
from app.services.run_continuation import RunContinuation
from app.services.run_service import RunService
from app.services.run_view import RunView
from app.services.search_service import SearchService
from app.services.vllm_service import VllmService
from app.utils.measures import Measures

LOCAL_USER = "local"  # the one user of a backend without login


@dataclass(frozen=True)
class Services:
    """Everything the routes may call. Built once, in `main`."""

    settings: Settings
    chats: ChatService
    labels: LabelService
    messages: MessageService
    search: SearchService
    runs: RunService
    run_view: RunView
    continuation: RunContinuation
    completion: CompletionService
    clearing: ChatClearing
    presets: PresetService
    forking: ChatForking
    titling: ChatTitling
    export: ExportService
    imports: ImportService
    vllm: VllmService
    gateway: GatewayService
    health: HealthService
    measures: Measures


async def services(request: Request) -> Services:
    """Return the services of this application."""
    found: Services = request.app.state.services
    return found


async def user_id() -> str:
    """Return who is asking."""
    return LOCAL_USER


def path_id(text: str, unknown: NotFound) -> str:
    """Return an id from a path in canonical form; a malformed one is an unknown one.

    Raises:
        NotFound: `unknown`.
    """
    try:
        return canonical_id(text)
    except ValueError:
        raise unknown from None


async def _chat_id(chat_id: str) -> str:
    return path_id(chat_id, chat_not_found())


async def _message_id(message_id: str) -> str:
    return path_id(message_id, message_not_found())


async def _run_id(run_id: str) -> str:
    return path_id(run_id, NotFound("run_not_found", "There is no such run."))


async def _preset_id(preset_id: str) -> str:
    return path_id(preset_id, preset_not_found())


ServicesDep = Annotated[Services, Depends(services)]
UserId = Annotated[str, Depends(user_id)]
ChatId = Annotated[str, Depends(_chat_id)]
MessageId = Annotated[str, Depends(_message_id)]
RunId = Annotated[str, Depends(_run_id)]
PresetId = Annotated[str, Depends(_preset_id)]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The `updated_at` this change is based on; else 412 `stale`"),
]
