"""The configured engines: their addresses, and what has been learned of each by asking.

Asks nothing itself.
"""

from dataclasses import dataclass, field


@dataclass
class Engine:
    """One OpenAI-compatible server.

    Attributes:
        base: its OpenAI base, ending in `/v1`.
        models: what it served when last asked, each with where it was loaded from; empty while it is out of reach.
        is_plain: it refused vLLM's own fields once, so they are left out.
        ends_no_thoughts: it refused a thinking budget once, so that none is asked for.
        opens_thoughts: models whose prompt template opens the thought, so that only a closing tag is seen.
    """

    base: str
    models: dict[str, str | None] = field(default_factory=dict)
    is_plain: bool = False
    ends_no_thoughts: bool = False
    opens_thoughts: set[str] = field(default_factory=set)

    @property
    def root(self) -> str:
        """Where `/health`, `/metrics` and `/tokenize` are."""
        return self.base.removesuffix("/v1")


class Engines:
    """All of them, in the order of the setting."""

    def __init__(self, bases: list[str]) -> None:
        self.all = tuple(Engine(base) for base in bases)

    def serving(self, model: str) -> tuple[Engine, ...]:
        """Return the engines to ask for a model, best first: those that serve it, then those that are not known."""
        serving = [engine for engine in self.all if model in engine.models]
        unknown = [engine for engine in self.all if not engine.models]
        return (*serving, *unknown) or self.all
