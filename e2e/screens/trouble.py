"""The screens of what goes wrong or has to wait: engine, network, limits, stopped and broken answers."""

import re

from playwright.sync_api import expect

from e2e.screens.stage import Screens, Stage

SCREENS = Screens()
screen = SCREENS.add
AWAY = r"503.*/api/chat/health"
NO_NETWORK = ("ERR_INTERNET_DISCONNECTED", "WebSocket")


@screen("engine-loading", "The engine is loading")
def engine_loading(stage: Stage) -> None:
    stage.tab.witness.expect(AWAY)
    stage.engine_says("loading", "loading weights, 62 %")
    stage.tab.open()
    expect(stage.tab.hook("engine-state")).to_have_attribute("data-state", "loading")


@screen("engine-down", "The engine is down")
def engine_down(stage: Stage) -> None:
    stage.tab.witness.expect(AWAY)
    stage.engine_says("stopped", "")
    stage.tab.open(stage.id_of(stage.words.main))
    expect(stage.tab.hook("engine-state")).to_have_attribute("data-state", re.compile("unreachable|failed"))
    expect(stage.tab.answer).to_be_visible()


@screen("stand-in", "A small model answers instead")
def stand_in(stage: Stage) -> None:
    note = "Qwen3-0.6B is not under models/: a small stand-in, tiny-chat, answers instead."
    stage.rest.clear()
    stage.engine.set(models=["Qwen3-0.6B"])
    stage.engine_says("ready", "", note)
    stage.tab.open()
    expect(stage.tab.hook("model-note")).to_be_visible()


@screen("reconnecting", "Reconnecting")
def reconnecting(stage: Stage) -> None:
    stage.tab.witness.expect(*NO_NETWORK)
    stage.open()
    stage.tab.page.context.set_offline(True)
    expect(stage.tab.hook("connection")).to_have_attribute("data-state", "reconnecting")


@screen("offline", "Offline, with a message that waits")
def offline(stage: Stage) -> None:
    stage.tab.witness.expect(*NO_NETWORK)
    stage.open()
    stage.tab.page.context.set_offline(True)
    stage.tab.composer.fill(stage.words.again)
    stage.tab.hook("send").click()
    expect(stage.tab.hook("connection")).to_have_attribute("data-state", "offline", timeout=15_000)
    expect(stage.tab.hook("retry")).to_be_visible()


@screen("waits-in-outbox", "Written while an answer streams")
def waits_in_outbox(stage: Stage) -> None:
    stage.asked(tokens=20, content=stage.words.short)
    for text in (stage.words.again, stage.words.edited):
        stage.tab.composer.fill(text)
        stage.tab.composer.press("Enter")
    expect(stage.tab.messages("user")).to_have_count(3)


@screen("error", "An error instead of an answer")
def error(stage: Stage) -> None:
    stage.engine.answer(status=500, times=None)
    stage.begin().send(stage.words.question)
    stage.status("failed")


@screen("interrupted", "Interrupted")
def interrupted(stage: Stage) -> None:
    stage.engine.answer(content=stage.words.short, end="eof", end_after=24)
    stage.begin().send(stage.words.question)
    stage.status("interrupted")
    stage.figures()


@screen("stopped", "Stopped, with the engine's receipt")
def stopped(stage: Stage) -> None:
    stage.asked(tokens=30, content=stage.words.answer)
    expect(stage.tab.content).not_to_be_empty()
    stage.tab.hook("stop").click()
    stage.status("stopped")
    stage.figures(receipt={"confirmed": True, "engine_released_ms": 38.0, "tokens": 212})
    expect(stage.tab.hook("outcome")).to_contain_text("212")


@screen("length", "An answer that reached its length")
def length(stage: Stage) -> None:
    stage.engine.answer(content=stage.words.short, finish_reason="length")
    stage.begin().send(stage.words.question)
    stage.status("completed")
    stage.figures()


@screen("context-full", "The context is full: a choice")
def context_full(stage: Stage) -> None:
    stage.engine.refuse_context()
    stage.open().composer.fill(stage.words.again)
    stage.tab.hook("send").click()
    stage.status("failed")
    expect(stage.tab.hook("context-choice")).to_be_visible()


@screen("context-nearly-full", "The context is nearly full")
def context_nearly_full(stage: Stage) -> None:
    stage.engine.answer(content=stage.words.short)
    stage.begin().send(stage.words.question)
    stage.status("completed")
    stage.figures(
        usage={"prompt_tokens": 28_600, "completion_tokens": 120, "total_tokens": 28_720}, dropped_turns=2
    )
    expect(stage.tab.hook("context-gauge")).to_contain_text("28.7K")


def busy(stage: Stage, waiting: int) -> None:
    """Have one answer written and so many more in line, in other chats."""
    stage.engine.answer(content=stage.words.short, gated=True, times=None)
    for _ in range(1 + waiting):
        stage.rest.start(stage.rest.new_chat(title=stage.words.edited)["id"], stage.words.edited)


@screen("queued", "Third in line")
def queued(stage: Stage) -> None:
    busy(stage, 2)
    stage.begin().send(stage.words.question)
    stage.status("queued")
    expect(stage.tab.answer).to_contain_text("3")


@screen("over-limit", "Over the limit, with a countdown")
def over_limit(stage: Stage) -> None:
    stage.tab.witness.expect("429")
    busy(stage, 3)
    stage.begin().composer.fill(stage.words.question)
    stage.tab.hook("send").click()
    expect(stage.tab.hook("retry")).to_be_visible()


@screen("too-long-message", "A message over the limit of the server")
def too_long_message(stage: Stage) -> None:
    stage.tab.witness.expect("413|422")
    stage.begin().composer.fill("word " * 20_001)
    stage.tab.composer.press("Enter")
    expect(stage.tab.question.get_by_role("alert")).to_be_visible()


@screen("backend-down", "The server does not answer")
def backend_down(stage: Stage) -> None:
    stage.tab.witness.expect("ERR_FAILED", "502|503|504", "WebSocket")
    stage.tab.page.context.route(re.compile("/api/"), lambda route: route.abort())
    stage.tab.page.context.route(re.compile("/socket.io/"), lambda route: route.abort())
    stage.tab.page.context.route_web_socket(re.compile("/socket.io/"), lambda socket: socket.close())
    stage.tab.open()
    expect(stage.tab.hook("engine-state")).to_have_attribute("data-state", "backend_down")
    expect(stage.tab.hook("connection")).to_have_attribute("data-state", "offline", timeout=30_000)
