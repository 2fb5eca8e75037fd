"""The yardstick: FastAPI passing an engine's SSE bytes on, the least a relay can do. `passthrough.py ENGINE PORT`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse


def yardstick(engine: str) -> FastAPI:
    """Return the application."""
    sessions: list[aiohttp.ClientSession] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=None)
        ) as session:
            sessions.append(session)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def passed() -> AsyncIterator[bytes]:
            async with sessions[0].post(f"{engine}/chat/completions", json={}) as reply:
                async for data in reply.content.iter_any():
                    yield data

        return StreamingResponse(passed(), media_type="text/event-stream")

    return app


if __name__ == "__main__":
    uvicorn.run(
        yardstick(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False
    )
