"""Fixtures of the suite of options."""

from tests.served.fixtures import backend, engine, live_settings, overrides

__all__ = ["backend", "engine", "live_settings", "overrides"]
