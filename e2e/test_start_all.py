"""The promise of the README: one command, one address, an answer of a real model in a real browser."""

import re
import signal
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import expect

from e2e.conftest import NewTab
from e2e.deadline import eventually
from e2e.ports import free_port, listens
from e2e.processes import Process
from e2e.rest import Rest
from e2e.tiers import Served

pytestmark = [pytest.mark.real_vllm, pytest.mark.chromium]

SMALL_MODEL = "SmolLM2-135M-Instruct"
START_S = 300
ANSWER_MS = 120_000


@pytest.fixture(scope="module")
def ports() -> list[int]:
    return [free_port() for _ in range(3)]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, ports: list[int]) -> Iterator[Process]:
    """The whole system, started as the README says, on free ports and with a fresh database."""
    folder = tmp_path_factory.mktemp("start_all")
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'chat.db'}",
        "DEFAULT_MAX_TOKENS": "150",
        "CORS_ORIGINS": ",".join(f"http://127.0.0.1:{port}" for port in ports[1:]),
    }
    command = ["bash", "scripts/start_all.sh", SMALL_MODEL, *map(str, ports)]
    process = Process("start_all", command, log=folder / "start_all.log", env=settings)
    try:
        yield process
    finally:
        process.kill()


def test_one_command_gives_a_real_answer_in_the_browser(
    everything: Process, ports: list[int], new_tab: NewTab
) -> None:
    def address() -> bool:
        assert everything.returncode is None, everything.tail()
        return f"http://127.0.0.1:{ports[2]}" in everything.output() and listens(ports[2])

    eventually(address, START_S, "the address to be printed and served")
    served = Served(f"http://127.0.0.1:{ports[2]}")
    tab = new_tab(served).open()
    tab.witness.expect("Failed to load resource", "WebSocket")
    expect(tab.hook("connection")).to_have_attribute("data-state", "online", timeout=60_000)

    # Sent while the model may still be loading: the page does not make one wait for that.
    tab.send("Write a few sentences about the sea.")
    expect(tab.content).to_contain_text(re.compile(r"\w+ \w+ \w+ \w+"), timeout=START_S * 1000)
    tab.page.reload()
    expect(tab.content).to_contain_text(re.compile(r"\w+ \w+ \w+ \w+"))

    expect(tab.answer).to_have_attribute("data-status", "completed", timeout=ANSWER_MS)
    rest = Rest(served.url)
    stored = rest.chat(tab.chat_id)["messages"]
    rest.close()
    assert [message["role"] for message in stored] == ["user", "assistant"]
    assert stored[1]["metadata"]["usage"]["completion_tokens"] > 5
    assert re.search(r"\b(the|and|of)\b", stored[1]["content"]), stored[1]["content"]


def test_ctrl_c_ends_everything(everything: Process, ports: list[int]) -> None:
    whole = [psutil.Process(everything.pid), *psutil.Process(everything.pid).children(recursive=True)]
    assert len(whole) >= 4

    code = everything.end(within_s=60, how=signal.SIGINT)

    assert code in (0, 130), everything.tail()
    _, alive = psutil.wait_procs(whole, timeout=5)
    assert [" ".join(process.cmdline())[:200] for process in alive] == []
    assert not any(listens(port) for port in ports)
