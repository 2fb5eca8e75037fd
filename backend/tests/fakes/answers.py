"""What the scripted engine answers: the script of one answer, and the answer it gives without a script.

Sends nothing itself.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

End = Literal["done", "eof", "reset", "hang", "error", "error_done", "no_done"]
"""How a stream ends.

done: finish_reason, usage where asked for, `[DONE]` · eof: the connection closes cleanly in the middle ·
reset: TCP RST · hang: silence with an open connection · error: an error chunk, then EOF ·
error_done: an error chunk, then `[DONE]`, as a dying vLLM does · no_done: finish_reason, then EOF without `[DONE]`.
"""

_TOKEN = re.compile(r"\s*[\u3000-\u9fff\uff00-\uffef]{1,2}|\s*[^\s\u3000-\u9fff\uff00-\uffef]{1,6}|\s+")


def tokens_of(text: str | Sequence[str]) -> list[str]:
    """Split a text as a tokeniser might; a list is taken as tokens already."""
    return _TOKEN.findall(text) if isinstance(text, str) else list(text)


@dataclass
class Answer:
    """The script of one request. Times in seconds, `rate` in tokens per second (None: as fast as it goes).

    Args:
        content: the answer, as text or as tokens.
        reasoning: the thinking; left out when the request turns thinking off.
        status: anything but 200 refuses with `body` and `headers`.
        delay_s: before the status line.
        first_token_s: between the role chunk and the first token.
        gated: each token waits for `Received.step` or `Received.open`.
        end: how it ends, after `end_after` tokens or, with None, after all.
        raw: send exactly these bytes as the body of the reply; `end` then says what follows (done: a clean end).
        slice_bytes: write in slices of so many bytes.
        comments_every_s: keep-alive comments while it hangs.
        thinking_as: the field of the thinking, `tags` for `<think>` inside the content, `unopened` for the same
            without the opening tag.
        match: only for a request whose last message contains this.
        times: for so many requests; None for all.
        endless: content starts again at its end, until max_tokens.
    """

    content: str | Sequence[str] = ""
    reasoning: str | Sequence[str] = ""
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    first_token_s: float = 0
    rate: float | None = None
    gated: bool = False
    end: End = "done"
    end_after: int | None = None
    error: str = "EngineCore encountered an issue. See stack trace (above) for the root cause."
    finish_reason: str = "stop"
    raw: bytes | None = None
    slice_bytes: int | None = None
    comments_every_s: float | None = None
    thinking_as: Literal["reasoning", "reasoning_content", "tags", "unopened"] = "reasoning"
    match: str | None = None
    times: int | None = 1
    endless: bool = False

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Answer":
        """Build from the body of a control request; `raw` is text there."""
        unknown = value.keys() - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"unknown fields of an answer: {sorted(unknown)}")
        raw = value.get("raw")
        return cls(**{**value, "raw": raw.encode() if isinstance(raw, str) else None})

    def plan(self, *, thinking: bool) -> Iterator[tuple[str, str]]:
        """Give (channel, token), `mark` being the channel of `</think>`."""
        if thinking and self.reasoning:
            for token in tokens_of(self.reasoning):
                yield "reasoning", token
            yield "mark", "</think>"
        content = tokens_of(self.content)
        for token in itertools.cycle(content) if self.endless and content else content:
            yield "content", token


_THOUGHT = (
    "The user asks something. Let me think about what helps most: a short answer first, then the reasons, "
    "then an example that can be run. 先给结论，再给例子。 This is thought number {number}."
)

_ANSWERS = (
    """## How streaming works

A model writes **one token at a time**. Each token is sent as soon as it exists, so you can read along.

1. The page sends your message.
2. The engine answers token by token.
3. The page draws only what changed.

```python
async def read(stream):
    async for delta in stream:
        print(delta.text, end="", flush=True)
```

| step | time | note |
| --- | ---: | --- |
| connect | 1 ms | once |
| first token | 40 ms | depends on the prompt |
| each token | 20 ms | 50 tokens a second |

> Reading along is faster than waiting. 边写边读，比等待更快。

That was answer {number} of the scripted engine.
""",
    """## 流式输出是怎样工作的

模型**一次生成一个词元**，每个词元一产生就立刻发送到页面。

- 页面发送消息
- 引擎逐个词元回答
- 页面只重绘变化的部分

```ts
for await (const delta of stream) {
  answer += delta.text; // 追加即可
}
```

| 步骤 | 时间 | 说明 |
| --- | ---: | --- |
| 连接 | 1 毫秒 | 只有一次 |
| 首个词元 | 40 毫秒 | 取决于提示长度 |
| 每个词元 | 20 毫秒 | 每秒 50 个 |

The same in English: *small steps, no waiting*. 这是脚本引擎的第 {number} 个回答。
""",
    """## Three ways to sort a list

Python sorts with `sorted`, which is **stable** and takes a key:

```python
people = [("Ada", 36), ("Grace", 85), ("Alan", 41)]
print(sorted(people, key=lambda person: person[1]))
```

| method | copies | stable |
| --- | :-: | :-: |
| `sorted(x)` | yes | yes |
| `x.sort()` | no | yes |
| `heapq` | yes | no |

Some remarks:

- Sorting `n` items takes about `n · log n` steps.
- For the smallest few, `heapq.nsmallest` is enough.
- 中文按拼音排序需要 `locale`。

Answer {number} of the scripted engine.
""",
)


def default_answer(number: int, rate: float | None) -> Answer:
    """Return the answer of the request `number`: another one for every request."""
    text = _ANSWERS[number % len(_ANSWERS)].replace("{number}", str(number))
    return Answer(content=text, reasoning=_THOUGHT.replace("{number}", str(number)), rate=rate)
