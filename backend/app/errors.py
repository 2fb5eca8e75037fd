"""The tree of errors the application raises, each with its HTTP status and its code on the wire.

    AppError
    ├── Invalid              422  a field is wrong; carries the field
    ├── NotFound             404  chat, message, run, model
    ├── Conflict             409  id_conflict, run_active, nothing_to_continue, has_children, not_thinking
    ├── Gone                 410  run_log_gone
    ├── Stale                412  somebody else was faster
    ├── TooLarge             413  body, message
    ├── Forbidden            400/403  host, origin
    ├── Overloaded           429  too many runs, sockets, requests; carries Retry-After
    ├── Unavailable          503  storage, shutdown; carries Retry-After
    │   └── StorageFull      507  the disk of the database is full
    └── EngineError          502/503/504  everything that can go wrong between here and the engine
        ├── EngineUnreachable  503  no connection: worth waiting for
        ├── EngineBroken       502  a stream that had begun broke
        └── EngineCannotGoOn   502  it takes no answer that was begun

Rendering them is the edges' business.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldProblem:
    """One invalid field: its path with dots, a short machine word, a sentence."""

    field: str
    code: str
    detail: str


class AppError(Exception):
    """Base of all expected errors.

    Args:
        code: one of `app.schemas.problem.ErrorCode`.
        detail: a sentence for people, without any echo of the input.
        fields: the invalid fields, where there are some.
        retry_after_s: seconds after which another try makes sense.
        limit: the limit that was passed, where one was.
    """

    status = 500

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        fields: tuple[FieldProblem, ...] = (),
        retry_after_s: int | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = fields
        self.retry_after_s = retry_after_s
        self.limit = limit


class Invalid(AppError):
    """A field of a well-formed request has a value that is not allowed."""

    status = 422


class NotFound(AppError):
    """There is no such thing, or it is another user's."""

    status = 404


class Conflict(AppError):
    """The request does not fit the present state."""

    status = 409


class Gone(AppError):
    """It was there once, and is not kept any longer."""

    status = 410


class Stale(AppError):
    """`If-Match` names an older state."""

    status = 412


class TooLarge(AppError):
    """The body or a text is over its limit."""

    status = 413


class Forbidden(AppError):
    """This host or origin may not talk to the backend."""

    status = 403


class Overloaded(AppError):
    """A limit on work at one time is reached; carries when to try again."""

    status = 429


class Unavailable(AppError):
    """A part the backend needs is not usable just now; carries when to try again."""

    status = 503


class StorageFull(Unavailable):
    """There is no room left where the database lies; reading goes on."""

    status = 507


class EngineError(AppError):
    """The engine refused, failed, went silent or is out of reach. `code` says which."""

    status = 502


class EngineUnreachable(EngineError):
    """No connection to the engine: worth waiting for (`engine_unavailable`)."""

    status = 503


class EngineBroken(EngineError):
    """A stream that had begun broke: `engine_lost`, `engine_idle` or `engine_malformed`."""

    status = 502


class EngineCannotGoOn(EngineError):
    """The engine knows no way to go on with an answer (`engine_lost`): another try is of no use."""

    status = 502


class StartError(Exception):
    """The backend cannot start; the message is one line for the person who starts it. Never on the wire."""
