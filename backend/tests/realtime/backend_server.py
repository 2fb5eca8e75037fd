"""A whole backend on a loopback port, in this process: what tests with real sockets talk to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import uvicorn
from app.api.server import bind, config
from app.config import Settings
from main import running


@dataclass
class Backend:
    """A backend that serves."""

    url: str
    http: httpx2.AsyncClient
    server: uvicorn.Server


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Backend]:
    """Serve the application as `main` does, and end it in the end."""
    bound = bind(settings.model_copy(update={"backend_port": 0}))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with running(settings) as (app, _drain):
        served = uvicorn.Server(config(app, settings))
        task = asyncio.create_task(served.serve(sockets=[bound]))
        async with httpx2.AsyncClient(base_url=url, timeout=20) as http:
            while not served.started:
                await asyncio.wait({task}, timeout=0.005)
            yield Backend(url, http, served)
        served.should_exit = True
        await task
