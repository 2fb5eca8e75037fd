"""`If-Match`: whether the state a client has seen is still the present one."""

from datetime import UTC, datetime

from app.errors import Stale


def check_not_stale(if_match: str | None, updated_at: datetime) -> None:
    """Compare the time a client names, quoted or not, with the present `updated_at`. None and `*` fit always.

    Raises:
        Stale: somebody else was faster, or it is no time at all.
    """
    if if_match is None or if_match.strip() == "*":
        return
    try:
        seen = datetime.fromisoformat(if_match.strip().removeprefix("W/").strip('"'))
    except ValueError:
        seen = None
    if seen is not None and seen.tzinfo is None:
        seen = seen.replace(tzinfo=UTC)
    if seen != updated_at:
        raise Stale("stale", "It has been changed since. Load it again and repeat the change.")
