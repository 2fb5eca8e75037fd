"""How many sockets are open, of either kind: of all users, and of each.

Opens and closes none.
"""

from collections import Counter


class SocketPlaces:
    """Counts sockets against the two limits of the settings."""

    def __init__(self, in_all: int, per_user: int) -> None:
        self._in_all = in_all
        self._per_user = per_user
        self._taken: Counter[str] = Counter()

    def take(self, user_id: str) -> bool:
        """Take a place; False when there is none."""
        if self._taken.total() >= self._in_all or self._taken[user_id] >= self._per_user:
            return False
        self._taken[user_id] += 1
        return True

    def give_back(self, user_id: str) -> None:
        """Give a place back."""
        self._taken[user_id] -= 1
        if not self._taken[user_id]:
            del self._taken[user_id]
