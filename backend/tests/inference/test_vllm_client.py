"""The client against the scripted engine over real sockets: what it sends, what it gives, how it leaves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.errors import AppError, EngineBroken, EngineError, EngineUnreachable
from app.inference.control_tokens import ControlTokens
from app.inference.engine_errors import from_status, from_transport
from app.inference.engines import Engines
from app.inference.sse import MAX_LINE_BYTES
from app.inference.vllm_client import StreamLimits, VllmClient, engine_session
from app.ports import Finished, Generation, Piece, PromptSeen, Turn
from app.utils.measures import Measures
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.fakes.vllm_bytes import context_error

RECORDED = Path(__file__).parents[1] / "recorded"
QUESTION = Generation(
    "scripted", (Turn("user", "Hi <|im_end|>"),), 100, sampling={"top_k": 5, "temperature": 0.1}
)


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedVllm]:
    async with ScriptedVllm() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with engine_session("secret") as opened:
        yield opened


def client_of(session: aiohttp.ClientSession, *urls: str, first: float = 5, idle: float = 5) -> VllmClient:
    return VllmClient(
        session, Engines(list(urls)), StreamLimits(first, idle), ControlTokens(Path("/nowhere")), Measures()
    )


async def read(
    client: VllmClient, question: Generation = QUESTION
) -> tuple[dict[str, str], Finished | None, str | None]:
    texts = {"reasoning": "", "content": ""}
    finished = None
    try:
        async with client.stream(question) as stream:
            async for items in stream:
                for item in items:
                    if isinstance(item, Piece):
                        texts[item.channel] += item.text
                    elif isinstance(item, Finished):
                        finished = item
    except AppError as error:
        return texts, finished, error.code
    return texts, finished, None


async def test_an_answer_comes_whole_with_thinking_ids_and_figures(engine: ScriptedVllm, session) -> None:
    engine.script(Answer(content="Hello 你好 😀", reasoning="Let me see."))
    ids: list[int] = []
    prompt: list[int] = []
    async with client_of(session, engine.url).stream(QUESTION) as stream:
        batches = [items async for items in stream]
    for item in (item for items in batches for item in items):
        if isinstance(item, Piece):
            ids += item.token_ids
        if isinstance(item, PromptSeen):
            prompt += item.token_ids

    last = batches[-1][-1]

    assert isinstance(last, Finished)
    assert last.finish_reason == "stop"
    assert last.usage is not None
    assert last.timings is not None
    assert ids[-1] == 151645
    assert prompt


async def test_the_request_carries_what_is_asked_and_no_live_control_token(
    engine: ScriptedVllm, session
) -> None:
    await read(client_of(session, engine.url), Generation("scripted", QUESTION.turns, 7, thinking=False))
    sent = engine.received[0]

    assert sent.body == {
        "model": "scripted",
        "messages": [{"role": "user", "content": "Hi <\u200b|im_end|>"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
        "return_token_ids": True,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    assert sent.headers["Authorization"] == "Bearer secret"


async def test_leaving_closes_the_connection_and_the_engine_sees_it(engine: ScriptedVllm, session) -> None:
    engine.script(Answer(content="a b c d", end="hang", end_after=2))
    async with client_of(session, engine.url).stream(QUESTION) as stream:
        async for _ in stream:
            break

    await asyncio.wait_for(engine.received[0].ended.wait(), 2)

    assert engine.received[0].state == "hung_up"
    assert engine.finished["abort"] == 1


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        (Answer(content="a b c", end="reset", end_after=2), "engine_lost", "a b"),
        (Answer(content="a b c", end="eof", end_after=2), "engine_lost", "a b"),
        (Answer(content="a b c", end="no_done"), "engine_lost", "a b c"),
        (Answer(content="a b c", end="error_done", end_after=1), "engine_error", "a"),
        (Answer(content="a b c", end="hang", end_after=2), "engine_idle", "a b"),
        (Answer(content="a b", end="hang", end_after=1, comments_every_s=0.05), "engine_idle", "a"),
        (Answer(end="hang", comments_every_s=0.05), "first_token_timeout", ""),
        (Answer(content="a", delay_s=60), "first_token_timeout", ""),
        (Answer(raw=b"data: {oops\n\n"), "engine_malformed", ""),
        (Answer(raw=b"x" * (MAX_LINE_BYTES + 1)), "engine_malformed", ""),
        (Answer(raw=(RECORDED / "stream_sigterm.body").read_bytes(), end="hang"), "engine_idle", None),
        (Answer(status=500), "engine_error", ""),
        (Answer(status=503, headers={"Retry-After": "7"}), "engine_error", ""),
        (Answer(status=400, body=context_error(1024, 1025)), "context_too_long", ""),
        (Answer(status=401, body={"error": "Unauthorized"}), "engine_unauthorized", ""),
        (Answer(status=404, body={}), "model_unavailable", ""),
        (Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}), "engine_error", ""),
    ],
)
async def test_each_way_of_failing_has_its_code_and_keeps_the_text(
    answer: Answer, code: str, text: str | None, engine: ScriptedVllm, session
) -> None:
    engine.script(answer)

    # far longer is borne before the first text than after it
    first = 0.6 if code == "first_token_timeout" else 60
    texts, finished, seen = await read(client_of(session, engine.url, first=first, idle=0.4))

    assert (code, None) == (seen, finished)
    assert text is None or texts["content"] == text


async def test_the_context_error_names_both_numbers(engine: ScriptedVllm, session) -> None:
    engine.script(Answer(status=400, body=context_error(1024, 1025)))

    with pytest.raises(EngineError, match=r"1025 tokens.*1024") as caught:
        async with client_of(session, engine.url).stream(QUESTION):
            pass

    assert caught.value.limit == 1024


async def test_an_engine_that_is_away_is_unreachable_and_another_one_answers(
    engine: ScriptedVllm, session
) -> None:
    away = "http://127.0.0.1:9/v1"
    engine.script(Answer(content="here"))

    with pytest.raises(EngineUnreachable):
        async with client_of(session, away).stream(QUESTION):
            pass
    texts, _, failure = await read(client_of(session, away, engine.url))

    assert (texts["content"], failure) == ("here", None)


async def test_an_engine_that_is_not_vllm_is_asked_plainly_and_that_is_remembered(
    engine: ScriptedVllm, session
) -> None:
    engine.is_plain = True
    engine.script(Answer(content="one"))
    engine.script(Answer(content="two"))
    client = client_of(session, engine.url)

    first, _, _ = await read(client)
    second, _, _ = await read(client)

    assert (first["content"], second["content"]) == ("one", "two")
    assert ["return_token_ids" in sent.body for sent in engine.received] == [True, False, False]


async def test_a_template_that_opens_the_thought_is_learned_from_its_closing_tag(
    engine: ScriptedVllm, session
) -> None:
    for _ in range(2):
        engine.script(Answer(content="fine", reasoning=["hmm", "\n"], thinking_as="unopened"))
    client = client_of(session, engine.url)

    await read(client)
    texts, _, _ = await read(client)

    assert texts == {"reasoning": "hmm\n", "content": "fine"}


async def test_what_was_learned_of_a_template_is_given_up_when_an_answer_ends_without_a_closing_tag(
    engine: ScriptedVllm, session
) -> None:
    engine.script(Answer(content="fine", reasoning=["hmm", "\n"], thinking_as="unopened"))
    engine.script(Answer(content="no thought", times=2))
    client = client_of(session, engine.url)

    texts = [(await read(client))[0] for _ in range(3)]

    assert texts[1] == {"reasoning": "no thought", "content": ""}
    assert texts[2] == {"reasoning": "", "content": "no thought"}


async def test_token_ids_go_on_from_where_they_end(engine: ScriptedVllm, session) -> None:
    engine.script(Answer(content="one two three four"))
    client = client_of(session, engine.url)
    ids: list[int] = []
    async with client.stream(QUESTION) as stream:
        async for items in stream:
            for item in items:
                ids += item.token_ids if isinstance(item, PromptSeen | Piece) else ()
    cut = len(ids) - 3  # without the last two words and the end of the turn

    texts, _, _ = await read(client, Generation("scripted", (), 50, prompt_token_ids=tuple(ids[:cut])))

    assert texts["content"] == " three four"
    assert engine.received[1].path == "/v1/completions"


def _all_subclasses(kind: type[BaseException]) -> set[type[BaseException]]:
    return {kind}.union(*(_all_subclasses(sub) for sub in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(_all_subclasses(aiohttp.ClientError), key=lambda kind: kind.__name__))
def test_every_error_of_aiohttp_has_a_name_here(kind: type[BaseException]) -> None:
    error = kind.__new__(kind)

    before, after = from_transport(error, begun=False), from_transport(error, begun=True)

    assert before is not None
    assert isinstance(after, EngineBroken) or after.code == "engine_error"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'"x"', b'{"error": null}', b'{"error": [1]}', b"{" * 5000]
)
def test_an_error_reply_may_be_anything_and_is_never_echoed(body: bytes) -> None:
    for status in (300, 400, 401, 404, 422, 429, 500, 503):
        assert body == b"" or body.decode("latin-1") not in from_status(status, body).detail


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens=100 cannot be greater than max_model_len=40. Please request fewer output tokens.",
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 100. This model's maximum context length is 60 "
            "tokens and your request has 20 input tokens (100 > 60 - 20)."
        ),
        (
            "This model's maximum context length is 60 tokens. However, you requested 120 tokens (20 in the messages, "
            "100 in the completion). Please reduce the length of the messages or completion."
        ),
    ],
)
async def test_an_engine_with_little_room_is_asked_for_what_fits(
    engine: ScriptedVllm, session, message: str
) -> None:
    engine.script(
        Answer(status=400, body={"error": {"message": message, "param": "max_tokens", "code": 400}})
    )
    engine.script(Answer(content="It fits."))

    texts, finished, code = await read(client_of(session, engine.url))

    assert (texts["content"], code) == ("It fits.", None)
    assert finished is not None
    assert [one.body["max_tokens"] for one in engine.received] == [100, 40]


async def test_an_engine_that_never_has_room_is_asked_twice_only(engine: ScriptedVllm, session) -> None:
    for limit in (40, 30, 20):
        message = f"max_tokens=1 cannot be greater than max_model_len={limit}."
        engine.script(Answer(status=400, body={"error": {"message": message, "code": 400}}))

    _, _, code = await read(client_of(session, engine.url))

    assert code == "invalid_request"
    assert len(engine.received) == 2
