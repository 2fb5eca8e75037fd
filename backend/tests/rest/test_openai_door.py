"""Whatever is wrong below `/v1`, and wherever it is noticed, OpenAI's clients get an error as they know it."""

import httpx2
import pytest
from fastapi.routing import APIRoute

from app.api.gateway_door import ENGINE_PATHS
from app.api.openai_gateway import router

Client = httpx2.AsyncClient
JSON = {"Content-Type": "application/json"}
PATHS = ["/v1/chat/completions", "/api/chat/completions"]
CASES = {
    "too large": ("POST", {**JSON, "Content-Length": str(10 * 1024 * 1024)}, b"{", 413, "body_too_large"),
    "too large, unannounced": ("POST", JSON, b"[" * 1_100_000, 413, "body_too_large"),
    "another host": ("POST", {**JSON, "Host": "evil.example"}, b"{}", 400, "host_not_allowed"),
    "another page": ("POST", {**JSON, "Origin": "http://evil.example"}, b"{}", 403, "origin_not_allowed"),
    "no JSON": ("POST", {"Content-Type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
    "another method": ("DELETE", {}, None, 405, "method_not_allowed"),
    "broken": ("POST", JSON, b"{", 400, "malformed_json"),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", CASES)
async def test_an_error_is_openais(client: Client, name: str, path: str) -> None:
    method, headers, body, status, code = CASES[name]
    reply = await client.request(method, path, headers=headers, content=body)

    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.json().keys() == {"error"}
    error = reply.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["code"], error["type"]) == (code, "invalid_request_error")


async def test_an_unknown_path_below_v1_too(client: Client) -> None:
    for path in ("/v1", "/v1/embeddings", "/v1/x/y"):
        reply = await client.post(path, json={})
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
    reply = await client.post("/v1x", json={})
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_each_of_openais_routes_to_an_engine_has_its_door() -> None:
    routes = [route for route in router.routes if isinstance(route, APIRoute) and "POST" in route.methods]

    assert {route.path for route in routes} == ENGINE_PATHS.keys()
