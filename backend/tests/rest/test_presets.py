"""Presets: made, listed by name, changed, deleted; the same request again is the same preset."""

from typing import Any
from uuid import uuid4

import httpx2

from tests.rest.test_bad_input import sent

Client = httpx2.AsyncClient
PRESET = {
    "name": "Translate",
    "prompt": "Translate into {{language}}:\n",
    "options": {"temperature": 0.2, "thinking": False},
}


async def names(client: Client) -> list[str]:
    return [each["name"] for each in (await client.get("/api/presets")).json()["items"]]


async def test_a_preset_is_kept_as_sent(client: Client) -> None:
    made = await client.post("/api/presets", json=PRESET)
    await client.post("/api/presets", json={"name": "Again"})

    assert made.status_code == 201
    assert {**made.json(), "id": None} == {**PRESET, "id": None}
    listed = (await client.get("/api/presets/")).json()["items"]
    assert [each["name"] for each in listed] == ["Again", "Translate"]
    assert listed[1] == made.json()
    assert listed[0] == {"id": listed[0]["id"], "name": "Again", "prompt": "", "options": {}}


async def test_what_is_left_out_of_a_change_stays(client: Client) -> None:
    made = (await client.post("/api/presets", json=PRESET)).json()
    changed = await client.put(f"/api/presets/{made['id']}", json={"name": "New", "options": {"seed": 1}})

    assert changed.json() == {**made, "name": "New", "options": {"seed": 1}}
    assert (await client.put(f"/api/presets/{made['id']}", json={})).json() == changed.json()


async def test_a_deleted_preset_is_gone(client: Client) -> None:
    made = (await client.post("/api/presets", json=PRESET)).json()

    assert (await client.delete(f"/api/presets/{made['id']}")).status_code == 204
    assert await names(client) == []
    for method, body in (("DELETE", None), ("PUT", {"name": "x"})):
        reply = await client.request(
            method, f"/api/presets/{made['id']}", **({} if body is None else sent(body))
        )
        assert (reply.status_code, reply.json()["code"]) == (404, "preset_not_found")


async def test_the_same_request_is_the_same_preset(client: Client) -> None:
    request = {"id": str(uuid4()), **PRESET}
    statuses = [(await client.post("/api/presets", json=request)).status_code for _ in range(2)]
    other = await client.post("/api/presets", json={**request, "name": "Other"})

    assert statuses == [201, 200]
    assert (other.status_code, other.json()["code"]) == (409, "id_conflict")
    assert await names(client) == ["Translate"]


async def test_there_is_a_limit(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("app.services.preset_service.MAX_PRESETS_PER_USER", 1)
    await client.post("/api/presets", json=PRESET)
    reply = await client.post("/api/presets", json=PRESET)

    assert (reply.status_code, reply.json()["code"], reply.json()["limit"]) == (409, "too_many_presets", 1)


async def test_more_tokens_than_the_server_gives_are_refused(client: Client) -> None:
    made = (await client.post("/api/presets", json=PRESET)).json()
    for method, path in (("POST", "/api/presets"), ("PUT", f"/api/presets/{made['id']}")):
        reply = await client.request(method, path, **sent({**PRESET, "options": {"max_tokens": 8193}}))
        assert (reply.status_code, reply.json()["code"]) == (422, "max_tokens_too_large")
        assert reply.json()["limit"] == 8192
