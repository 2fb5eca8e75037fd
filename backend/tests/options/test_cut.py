"""Where a conversation that is too long is cut: seldom elsewhere, so that the engine's cache of its beginning holds."""

from app.ports import Turn
from app.services.context_window import STEPS, ContextWindow
from tests.options.test_options import Letters

ROOM, EXCHANGES = 1000, 120
TOKENS_AN_EXCHANGE = 2 * (2 + 8)


async def test_the_cut_moves_in_steps_and_not_with_every_turn() -> None:
    window, turns, cuts = ContextWindow(Letters()), [], []
    for number in range(EXCHANGES):
        turns.append(Turn("user", f"u{number % 10}"))
        left, dropped = await window.fitted(turns, model="m", room=ROOM, max_tokens=100)
        cuts.append(dropped)
        assert [*turns[dropped:]] == list(left)
        turns.append(Turn("assistant", f"a{number % 10}"))

    moves = sum(before != after for before, after in zip(cuts, cuts[1:], strict=False))
    over = sum(1 for dropped in cuts if dropped)
    assert over > EXCHANGES // 2
    assert 1 < moves <= over * TOKENS_AN_EXCHANGE // (ROOM // STEPS) + 1
