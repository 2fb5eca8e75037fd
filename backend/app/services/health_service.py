"""How the whole system is, tier by tier, each with what to do when it is not usable.

Mends nothing.
"""

import asyncio

from app.errors import AppError
from app.ports import EngineHost
from app.repositories.storage import Storage
from app.schemas.engine import Health, Tier
from app.services.vllm_service import VllmService

DATABASE_TIMEOUT_S = 2.0


class HealthService:
    """Looks at the database, the engine and the machine at the same time."""

    def __init__(self, storage: Storage, vllm: VllmService, host: EngineHost) -> None:
        self._storage = storage
        self._vllm = vllm
        self._host = host

    async def look(self) -> Health:
        """Return how everything is. Never raises for a tier that is down."""
        database, vllm, memory = await asyncio.gather(
            self._database(), self._vllm.tier(), self._host.memory()
        )
        usable = database.status == "ok" and vllm.status == "ready"
        return Health(
            status="ok" if usable else "degraded",
            tiers=alive().tiers | {"database": database, "vllm": vllm},
            memory=memory,
        )

    async def _database(self) -> Tier:
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_S), self._storage.read() as unit:
                await unit.ping()
        except (AppError, TimeoutError):
            return Tier(
                status="failed",
                detail="The database does not answer.",
                fix="Check DATABASE_URL, the rights of the file and the space on its disk.",
            )
        return Tier(status="ok", detail="It answers.")


def alive() -> Health:
    """Return what is known without looking at anything: this process answers."""
    return Health(status="ok", tiers={"backend": Tier(status="ok", detail="It answers.")}, memory={})
