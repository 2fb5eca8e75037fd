"""What the download from a hub says and does, against a hub of its own; the hub's client is a stand-in that asks it in the same way.

Whether the real client fetches from a real hub is not shown here: no test may need the internet.
"""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

DOWNLOAD = Path(__file__).resolve().parents[1] / "engine" / "hub_download.py"
SOON_S = 20.0  # a hub that does not answer is given up within 7 s; the rest is a busy machine
FILES = {"config.json": b"{}", "model.safetensors": b"x" * 2_000_000, "README.md": b"not wanted"}
CLIENT = """
import fnmatch, os, pathlib, time, urllib.request
def snapshot_download(name, local_dir, allow_patterns):
    assert os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS") == "1"
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    with urllib.request.urlopen(f"{hub}/list/{name}") as answer:
        files = answer.read().decode().split()
    for file in files:
        if any(fnmatch.fnmatch(file, wanted) for wanted in allow_patterns):
            local_dir.mkdir(parents=True, exist_ok=True)
            with urllib.request.urlopen(f"{hub}/file/{file}") as answer:
                (local_dir / file).write_bytes(answer.read())
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """Knows one model. `held` keeps its last file back."""

    held = threading.Event()
    broken = 0

    def do_GET(self) -> None:
        path = self.path
        if path.startswith("/api/models/Qwen/Qwen3-0.6B"):
            siblings = [{"rfilename": name, "size": len(data)} for name, data in FILES.items()]
            self.give(200, json.dumps({"siblings": siblings}).encode())
        elif path == "/list/Qwen/Qwen3-0.6B":
            self.give(200, " ".join(FILES).encode())
        elif path.startswith("/file/") and type(self).broken > 0:
            type(self).broken -= 1
            self.give(500, b"")
        elif path.startswith("/file/"):
            if path.endswith(".safetensors"):
                self.held.wait(SOON_S)
            self.give(200, FILES[path.rsplit("/", 1)[-1]])
        else:
            self.give(404, b"")

    def give(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hub() -> Iterator[str]:
    Hub.held, Hub.broken = threading.Event(), 0
    Hub.held.set()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Hub.held.set()
        server.shutdown()


class Download:
    """One run of the program, with a client that is no package."""

    def __init__(self, home: Path, name: str, **settings: str) -> None:
        (home / "client").mkdir()
        (home / "client" / "huggingface_hub.py").write_text(CLIENT)
        self.folder = home / "models" / "Qwen3-0.6B"
        self.folder.parent.mkdir(exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        environment |= {"PYTHONPATH": str(home / "client"), "VLLM_USE_MODELSCOPE": "", **settings}
        self.process = subprocess.Popen(
            [sys.executable, str(DOWNLOAD), name, str(self.folder)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def end(self) -> tuple[int, str]:
        text, _ = self.process.communicate(timeout=60)
        return self.process.returncode, text


def test_a_whole_model_comes_to_its_folder(hub: str, tmp_path: Path) -> None:
    status = tmp_path / "model.json"
    download = Download(tmp_path, "Qwen/Qwen3-0.6B", HF_ENDPOINT=hub, MODEL_STATUS_FILE=str(status))

    code, text = download.end()

    assert code == 0, text
    assert {file.name for file in download.folder.iterdir()} == {"config.json", "model.safetensors"}
    assert f"==> downloading Qwen/Qwen3-0.6B to {download.folder}" in text
    assert json.loads(status.read_text()) == {"model": "Qwen3-0.6B", "note": ""}


def test_it_says_how_much_has_come(hub: str, tmp_path: Path) -> None:
    Hub.held.clear()
    download = Download(tmp_path, "Qwen/Qwen3-0.6B", HF_ENDPOINT=hub)
    assert download.process.stdout

    said = [download.process.stdout.readline().strip() for _ in range(2)]
    Hub.held.set()

    assert said[1] == "... downloading Qwen/Qwen3-0.6B: 0 of 2 MB"
    assert download.end()[0] == 0


def test_a_download_that_breaks_is_tried_again(hub: str, tmp_path: Path) -> None:
    Hub.broken = 2

    code, text = Download(tmp_path, "Qwen/Qwen3-0.6B", HF_ENDPOINT=hub).end()

    assert code == 0
    assert "  ! download broke (2/3): HTTP Error 500" in text


def test_what_is_there_of_a_model_does_not_stand_in_its_way(hub: str, tmp_path: Path) -> None:
    (tmp_path / "models" / "Qwen3-0.6B").mkdir(parents=True)
    (tmp_path / "models" / "Qwen3-0.6B" / "config.json").write_text("old")
    download = Download(tmp_path, "Qwen/Qwen3-0.6B", HF_ENDPOINT=hub)

    code, text = download.end()

    assert code == 0, text
    assert (download.folder / "config.json").read_text() == "{}"
    assert [folder.name for folder in download.folder.parent.iterdir()] == ["Qwen3-0.6B"]


def test_a_model_that_the_hub_does_not_know_is_told_from_a_hub_that_is_not_there(
    hub: str, tmp_path: Path
) -> None:
    assert Download(tmp_path, "Qwen/Nothing", HF_ENDPOINT=hub).end()[0] == 4


@pytest.mark.parametrize(
    "settings",
    [
        {"HF_ENDPOINT": "http://127.0.0.1:9"},
        {"HF_ENDPOINT": "http://hub.invalid"},
        {"HF_ENDPOINT": "no address"},
        {"VLLM_USE_MODELSCOPE": "true", "MODELSCOPE_DOMAIN": "127.0.0.1:9"},
    ],
)
def test_a_hub_that_does_not_answer_is_given_up_soon(settings: dict[str, str], tmp_path: Path) -> None:
    began = time.monotonic()

    code, text = Download(tmp_path, "Qwen/Qwen3-0.6B", **settings).end()

    assert code == 3, text
    assert time.monotonic() - began < SOON_S


def test_who_is_offline_by_setting_asks_no_hub(hub: str, tmp_path: Path) -> None:
    assert Download(tmp_path, "Qwen/Qwen3-0.6B", HF_ENDPOINT=hub, HF_HUB_OFFLINE="1").end()[0] == 3


def test_an_empty_address_of_a_hub_is_the_hub_itself() -> None:
    ask = "import sys; sys.path.insert(0, sys.argv[1]); import hub_download as h; print(h.model_page('a/b'), 'HF_ENDPOINT' in h.os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", ask, str(DOWNLOAD.parent)],
        env={**os.environ, "HF_ENDPOINT": "", "VLLM_USE_MODELSCOPE": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.split() == ["https://huggingface.co/api/models/a/b?blobs=true", "False"]
