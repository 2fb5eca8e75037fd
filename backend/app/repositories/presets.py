"""All SQL about presets."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict
from app.models import PresetRow


class PresetRepository:
    """Presets of one user at a time."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def all(self, user_id: str) -> Sequence[PresetRow]:
        """Return the user's presets by name."""
        query = select(PresetRow).where(PresetRow.user_id == user_id)
        return (await self._session.scalars(query.order_by(PresetRow.name, PresetRow.id))).all()

    async def count(self, user_id: str) -> int:
        """Return how many presets the user has."""
        return await self._session.scalar(select(func.count()).where(PresetRow.user_id == user_id)) or 0

    async def get_for_change(self, user_id: str, preset_id: str) -> PresetRow | None:
        """Return the user's preset with its row locked until the unit ends, or None."""
        query = select(PresetRow).where(PresetRow.id == preset_id, PresetRow.user_id == user_id)
        return (await self._session.execute(query.with_for_update())).scalar_one_or_none()

    async def with_id(self, preset_id: str) -> PresetRow | None:
        """Return any preset with this id, whosever it is: for deciding about id conflicts only."""
        return await self._session.get(PresetRow, preset_id)

    async def insert(self, preset: PresetRow) -> None:
        """Store a new preset.

        Raises:
            Conflict: `id_conflict`: the id is taken. The unit is lost.
        """
        self._session.add(preset)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise Conflict("id_conflict", "This id is taken.") from error

    async def save(self) -> None:
        """Store what was set on rows that this unit gave out."""
        await self._session.flush()

    async def delete(self, user_id: str, preset_id: str) -> bool:
        """Remove a preset; False when there was none."""
        query = delete(PresetRow).where(PresetRow.id == preset_id, PresetRow.user_id == user_id)
        found = await self._session.execute(query.returning(PresetRow.id))
        return found.scalar_one_or_none() is not None
