"""Every path works with and without a trailing slash, without a redirect."""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send


class Slashes:
    """Gives a path the ending its route was declared with."""

    def __init__(self, app: ASGIApp, declared: Collection[str]) -> None:
        self._app = app
        self._with_slash = frozenset(path for path in declared if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under the declared path."""
        if scope["type"] != "lifespan":
            bare = scope["path"].rstrip("/")
            path = f"{bare}/" if f"{bare}/" in self._with_slash else bare or "/"
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": None}
        await self._app(scope, receive, send)
