"""Routes that let chats come and go as files. The file of an import is the body itself."""

import json
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.api.contract import problems
from app.api.deps import ChatId, ServicesDep, UserId
from app.schemas.transfer import ExportFormat, Imported

router = APIRouter(tags=["transfer"])

Reasoning = Annotated[bool, Query(description="Whether the model's thinking is in the file")]
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/json": {}, "text/markdown": {}, "text/html": {}},
        "description": "The file",
    }
}
ALL: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}}, "description": "The file, as it is read"}
}
IMPORT_BODY = {
    "requestBody": {
        "required": True,
        "description": "An export of VLLM Chat, Open WebUI, ChatGPT, Claude or LibreChat",
        "content": {"application/json": {"schema": {}}},
    }
}


@router.get(
    "/api/chats/{chat_id}/export", response_class=Response, responses=FILE | problems(404), tags=["chats"]
)
async def export_chat(
    chat_id: ChatId,
    services: ServicesDep,
    user_id: UserId,
    format: ExportFormat = "json",  # noqa: A002 (the name in the contract)
    reasoning: Reasoning = False,
) -> Response:
    """Export a chat: everything as JSON, or its active path as Markdown or as an HTML page."""
    file = await services.export.one(user_id, chat_id, format, reasoning=reasoning)
    return Response(file.content, media_type=file.media_type, headers=_attachment(file.name))


@router.get("/api/export", response_class=Response, responses=ALL)
async def export_all(services: ServicesDep, user_id: UserId, reasoning: Reasoning = False) -> Response:
    """Export every chat and every preset as one JSON file, streamed."""
    return StreamingResponse(
        services.export.all(user_id, reasoning=reasoning),
        media_type="application/json",
        headers=_attachment("vllm-chat.json"),
    )


@router.post("/api/import", responses=problems(413, 422, 503), openapi_extra=IMPORT_BODY)
async def import_chats(request: Request, services: ServicesDep, user_id: UserId) -> Imported:
    """Import the chats and presets of a file, all or none, and nothing twice."""
    return await services.imports.take_in(user_id, await request.body())


def _attachment(name: str) -> dict[str, str]:
    plain = json.dumps(name.encode("ascii", "replace").decode().replace("?", "_"))
    return {"Content-Disposition": f"attachment; filename={plain}; filename*=UTF-8''{quote(name, safe='')}"}
