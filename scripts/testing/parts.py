"""A pytest plugin that writes into the JUnit file which real parts each test was served by: `-p scripts.testing.parts`.

It does not count: `summary.py` does.
"""

import pytest

PARTS = ("sqlite", "postgresql", "socketio", "chromium", "firefox", "webkit", "real_vllm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notes the markers of every test."""
    for item in items:
        item.user_properties.extend(("part", part) for part in PARTS if item.get_closest_marker(part))
