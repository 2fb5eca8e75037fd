"""All SQL about the tokens of answers that were cut: what an engine needs to go on with them later.

A token is kept in four bytes. Whether tokens still fit their text is the services' business.
"""

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import RunTokensRow


@dataclass(frozen=True)
class KeptTokens:
    """The tokens of a prompt and of the answer to it so far; `text_digest` names the text they make."""

    model: str
    prompt_ids: tuple[int, ...]
    generated_ids: tuple[int, ...]
    text_digest: str


class RunTokenRepository:
    """Tokens by run."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def keep(self, run_id: str, tokens: KeptTokens) -> None:
        """Store the tokens of a run that ends."""
        row = RunTokensRow(
            run_id=run_id,
            prompt_ids=_packed(tokens.prompt_ids),
            generated_ids=_packed(tokens.generated_ids),
            model=tokens.model,
            text_digest=tokens.text_digest,
        )
        self._session.add(row)
        await self._session.flush()

    async def get(self, run_id: str) -> KeptTokens | None:
        """Return the tokens of a run, or None when they are not known."""
        row = await self._session.get(RunTokensRow, run_id)
        if row is None:
            return None
        return KeptTokens(row.model, _unpacked(row.prompt_ids), _unpacked(row.generated_ids), row.text_digest)

    async def forget(self, run_id: str) -> None:
        """Remove the tokens of a run: another one has gone on from there."""
        await self._session.execute(delete(RunTokensRow).where(RunTokensRow.run_id == run_id))


def _packed(ids: Sequence[int]) -> bytes:
    packed = array("I", ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpacked(packed: bytes) -> tuple[int, ...]:
    ids = array("I")
    ids.frombytes(packed)
    if sys.byteorder == "big":
        ids.byteswap()
    return tuple(ids)
