"""The parts of the end-to-end tests, all real but the model: browser, page server, backend, SQLite.

Does not hold a test. What a failed test leaves is in `test-results/`.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from e2e.browser import chromium, new_context
from e2e.chat_page import ChatPage
from e2e.engine.real_vllm import RealVllm
from e2e.processes import REPOSITORY
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers
from e2e.witness import Witness

RESULTS = REPOSITORY / "test-results"
REAL_MAX_NEW_TOKENS = 6000
expect.set_options(timeout=10_000)

NewTiers = Callable[..., Tiers]
NewTab = Callable[..., ChatPage]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call" and report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def _shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedEngine]:
    with ScriptedEngine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def engine(_shared_engine: ScriptedEngine) -> ScriptedEngine:
    """The scripted engine, with no scripts left from another test."""
    _shared_engine.reset()
    return _shared_engine


@pytest.fixture(scope="session")
def _shared_tiers(
    _shared_engine: ScriptedEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tiers]:
    tiers = Tiers(tmp_path_factory.mktemp("tiers"), _shared_engine.url)
    try:
        tiers.start()
        yield tiers
    finally:
        tiers.end()


@pytest.fixture
def tiers(_shared_tiers: Tiers, engine: ScriptedEngine, request: pytest.FixtureRequest) -> Iterator[Tiers]:
    """Running tiers without a chat. A test that ends one of them uses `new_tiers`."""
    rest = Rest(_shared_tiers.url)
    try:
        rest.clear()
    finally:
        rest.close()
    yield _shared_tiers
    _keep_logs(request.node, _shared_tiers)


@pytest.fixture
def new_tiers(engine: ScriptedEngine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NewTiers]:
    """Make tiers that the test may end, with its own engine URL and settings."""
    with ExitStack() as running:

        def make(engine_url: str | None = None, **settings: str) -> Tiers:
            made = Tiers(
                tmp_path / f"tiers{len(list(tmp_path.iterdir()))}", engine_url or engine.url, settings
            )
            running.callback(made.end)
            running.callback(lambda: _keep_logs(request.node, made))
            made.start()
            return made

        yield make


@pytest.fixture
def rest(tiers: Tiers) -> Iterator[Rest]:
    """The API, through the page's origin."""
    client = Rest(tiers.url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVllm]:
    """One real vLLM for the tests that do not kill it: it takes a minute to start."""
    with RealVllm(tmp_path_factory.mktemp("vllm")) as running:
        yield running


@pytest.fixture(scope="session")
def real_tiers(vllm: RealVllm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    """Tiers on the real vLLM."""
    settings = {"MAX_NEW_TOKENS": str(REAL_MAX_NEW_TOKENS)}
    tiers = Tiers(tmp_path_factory.mktemp("real_tiers"), vllm.url, settings)
    try:
        tiers.start()
        yield tiers
    finally:
        tiers.end()


@pytest.fixture
def api(real_tiers: Tiers) -> Iterator[Rest]:
    """The API in front of the real vLLM, through the page's origin."""
    client = Rest(real_tiers.url)
    yield client
    client.close()


@pytest.fixture
def new_tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[NewTab]:
    """Open tabs: `new_tab(tiers)`. Tabs of one `profile` share their storage; errors in any fail the test."""
    profiles: dict[str, tuple[BrowserContext, Witness]] = {}

    def open_tab(tiers: Tiers, profile: str = "one", **options: Any) -> ChatPage:
        if profile not in profiles:
            context = new_context(browser, **options)
            context.tracing.start(snapshots=True, screenshots=False)
            profiles[profile] = context, Witness(context, tiers.url)
        context, witness = profiles[profile]
        return ChatPage(context.new_page(), tiers.url, witness)

    yield open_tab
    problems = []
    for name, (context, witness) in profiles.items():
        problems += witness.problems()
        if has_failed(request.node) or problems:
            _keep_pages(request.node, name, context)
        else:
            context.tracing.stop()
        context.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
def tab(tiers: Tiers, new_tab: NewTab) -> ChatPage:
    """One tab on the shared tiers, at a new chat."""
    return new_tab(tiers).open()


def has_failed(node: pytest.Item) -> bool:
    """Tell whether the test itself has failed."""
    return node.stash.get(_FAILED, False)


def result_folder(node: pytest.Item) -> Path:
    """Return where a failed test may leave something to look at."""
    folder = RESULTS / re.sub(r"[^\w.-]+", "_", node.nodeid)[-120:]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep_pages(node: pytest.Item, profile: str, context: BrowserContext) -> None:
    folder = result_folder(node)
    for number, page in enumerate(context.pages):
        page.screenshot(path=folder / f"{profile}-{number}.png")
        (folder / f"{profile}-{number}.html").write_text(page.content(), encoding="utf-8")
    context.tracing.stop(path=folder / f"{profile}-trace.zip")


def _keep_logs(node: pytest.Item, tiers: Tiers) -> None:
    if has_failed(node):
        for log in tiers.folder.glob("*.log"):
            shutil.copy(log, result_folder(node) / log.name)
        node.add_report_section("call", "tiers", tiers.logs())
