"""Starting the real process: when it cannot, one clear line and an exit code; when it can, quickly and cleanly."""

import json
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.served.started import MAIN, backend, environment


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"BACKEND_PORT": "many"}, "BACKEND_PORT"),
        ({"BACKEND_HOST": "0.0.0.0"}, "loopback"),  # noqa: S104 (refused)
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"AUTH_MODE": "jwt"}, "AUTH_MODE"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:////proc/no/such.db"}, "/proc/no"),
        ({"JWT_SECRET": "hunter2", "MAX_SOCKETS": "0"}, "MAX_SOCKETS"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, setting: dict[str, str], named: str) -> None:
    done = subprocess.run(
        MAIN, check=False, env=environment(tmp_path, **setting), capture_output=True, text=True, timeout=60
    )

    assert done.returncode != 0
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "hunter2" not in done.stderr


def test_a_taken_port_is_said_in_one_line_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            MAIN,
            check=False,
            env=environment(tmp_path, BACKEND_PORT=port),
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert done.returncode != 0
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_cleanly_on_a_signal(tmp_path: Path, kind: signal.Signals) -> None:
    with backend(tmp_path) as (process, url):
        with urllib.request.urlopen(f"{url}/api/chats", timeout=10) as reply:  # noqa: S310 (http alone)
            assert json.load(reply) == {"items": [], "next_cursor": None}
            assert "server" not in {name.lower() for name in reply.headers}
        process.send_signal(kind)

        assert process.wait(20) == 0
    assert not (tmp_path / "data/chat.db-wal").exists()


def test_a_second_backend_on_the_same_database_is_refused(tmp_path: Path) -> None:
    with backend(tmp_path):
        done = subprocess.run(
            MAIN, check=False, env=environment(tmp_path), capture_output=True, text=True, timeout=60
        )

    assert done.returncode != 0
    assert "Another backend" in done.stderr


def test_the_contract_is_printed_the_same_each_time() -> None:
    printed = [subprocess.run([*MAIN, "openapi"], capture_output=True, check=True).stdout for _ in range(2)]

    assert printed[0] == printed[1]
    assert json.loads(printed[0])["openapi"].startswith("3.1")


def test_an_unknown_command_shows_the_usage() -> None:
    done = subprocess.run([*MAIN, "dance"], check=False, capture_output=True, text=True)

    assert done.returncode == 2
    assert "usage" in done.stderr
