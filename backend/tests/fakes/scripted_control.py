"""Scripting the engine from another process: routes under `/scripted/`.

| call | does |
| --- | --- |
| `POST /scripted/answers` (an Answer as JSON) | puts an answer in line: `{id}` |
| `POST /scripted/answers/{id}/step` `{tokens}` | lets so many gated tokens go |
| `POST /scripted/answers/{id}/open` | lets all of them go |
| `GET /scripted/requests` | what was received |
| `POST /scripted/reset` | forgets scripts and requests |
| `POST /scripted/settings` `{rate, models, max_model_len, is_plain, metrics_frozen, healthy}` | changes the engine |
"""

from typing import TYPE_CHECKING

from aiohttp import web

from .answers import Answer
from .received import Script

if TYPE_CHECKING:
    from .scripted_vllm import ScriptedVllm

SETTINGS = {"rate", "models", "max_model_len", "is_plain", "metrics_frozen", "healthy", "api_key"}


def control_routes(engine: "ScriptedVllm") -> list[web.RouteDef]:
    """Return the routes that script `engine`."""

    def script(request: web.Request) -> Script:
        number = int(request.match_info["id"])
        found = next((one for one in engine.scripts if one.id == number), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    async def add(request: web.Request) -> web.Response:
        return web.json_response({"id": engine.script(Answer.from_json(await request.json())).id})

    async def step(request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        script(request).step(int(body.get("tokens", 1)))
        return web.json_response({})

    async def open_all(request: web.Request) -> web.Response:
        script(request).open()
        return web.json_response({})

    async def requests(_: web.Request) -> web.Response:
        return web.json_response([received.as_json() for received in engine.received])

    async def reset(_: web.Request) -> web.Response:
        engine.reset()
        return web.json_response({})

    async def settings(request: web.Request) -> web.Response:
        for name, value in (await request.json()).items():
            if name not in SETTINGS:
                raise web.HTTPBadRequest(text=f"unknown setting {name}")
            setattr(engine, name, value)
        return web.json_response({})

    return [
        web.post("/scripted/answers", add),
        web.post("/scripted/answers/{id}/step", step),
        web.post("/scripted/answers/{id}/open", open_all),
        web.get("/scripted/requests", requests),
        web.post("/scripted/reset", reset),
        web.post("/scripted/settings", settings),
    ]
