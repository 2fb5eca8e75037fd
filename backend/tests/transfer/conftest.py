"""Fixtures of the suites of import and export."""

from tests.served.fixtures import backend, engine, live_settings, overrides

__all__ = ["backend", "engine", "live_settings", "overrides"]
