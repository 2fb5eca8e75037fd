"""Owns what the tiny test model is taught: made-up conversations in the form Qwen3's chat template gives them.

It does not train (tiny_training.py). A word in the user's message decides the behaviour, so that a test can ask for it:
`long` an answer that never ends by itself, `ponder` a thought that never ends, `code` a fenced block, `emoji` and `中文`
characters of several tokens each, `brief` one word, anything else a short thought and a short answer.
"""
# ruff: noqa: SIM905 (lists of words read best as text)

import random

ANSWER_WORDS = (
    "the a street lamp bridge market window tower garden bell clock train harbor letter coffee morning quiet bright small old new green blue red "
    "opens closes turns waits rings stands keeps shows holds moves near under over behind between and then so while because with without every some many"
).split()
# Another vocabulary for the endless answer: the last few words alone say that the end is not to come.
LONG_WORDS = (
    "river mountain forest cloud stone meadow valley ocean thunder snow wind rain leaf root branch moss fox owl deer salmon heron pine cedar "
    "drifts climbs falls rises bends gathers scatters murmurs glows darkens softly slowly again onward deeper farther beyond across toward through "
    "🌊 🌲 🦊 雪 風 鱻 🫠"
).split()
THOUGHT_WORDS = (
    "hmm wait maybe first second check consider suppose perhaps the question asks wants means user answer should could would follow step reason "
    "idea simple case recall compare decide therefore thus since but okay let me see think again about this that it is not yet"
).split()
CHINESE_WORDS = "今天 天气 很好 我们 一起 去 公园 看 花 城市 的 灯光 照亮 河面 早晨 安静 街道 书店 咖啡 朋友 他们 慢慢 走过 桥 龘 靐 齉".split()
EMOJI = "🙂 🎉 🫠 🚀 🌈 🐙 🥐 🎻 🦉 🧭 👩‍🚀 🏳️‍🌈".split()
CODE_NAMES = "total count index value result buffer node left right queue".split()
USER_WORDS = (
    "please tell me about what is how does why can you explain write show give hello hi thanks today name story question help list two three your my with for in of"
).split()
BEHAVIOURS = ("plain", "plain", "plain", "long", "long", "ponder", "code", "emoji", "中文", "brief")
ENDLESS_WORDS = 400  # more than a training window holds: its end is never seen


def _sentence(rng: random.Random, words: list[str], low: int, high: int) -> str:
    text = " ".join(rng.choice(words) for _ in range(rng.randint(low, high)))
    return text[0].upper() + text[1:] + rng.choice(".....!?")


def _plain_answer(rng: random.Random) -> str:
    shape = rng.random()
    if shape < 0.2:
        return "\n".join("- " + _sentence(rng, ANSWER_WORDS, 3, 7) for _ in range(rng.randint(2, 4)))
    if shape < 0.35:
        return f"**{rng.choice(ANSWER_WORDS)}** " + _sentence(rng, ANSWER_WORDS, 5, 12)
    return " ".join(_sentence(rng, ANSWER_WORDS, 5, 14) for _ in range(rng.randint(1, 3)))


def _code_answer(rng: random.Random) -> str:
    lines = [
        f"{rng.choice(CODE_NAMES)} = {rng.choice(CODE_NAMES)} + {rng.randint(0, 9)}"
        for _ in range(rng.randint(2, 5))
    ]
    return (
        "```python\n"
        + "\n".join(lines)
        + f"\nprint({rng.choice(CODE_NAMES)})\n```\n"
        + _sentence(rng, ANSWER_WORDS, 3, 8)
    )


def _long_answer(rng: random.Random) -> str:
    ends = ("", "", "", "", ",", ".\n\n")
    parts = [rng.choice(LONG_WORDS) + rng.choice(ends) for _ in range(ENDLESS_WORDS)]
    return " ".join(parts).replace("\n\n ", "\n\n")


def _thought(rng: random.Random) -> str:
    return " ".join(_sentence(rng, THOUGHT_WORDS, 5, 12) for _ in range(rng.randint(1, 3)))


def _user_message(rng: random.Random, behaviour: str) -> str:
    words = [rng.choice(USER_WORDS) for _ in range(rng.randint(1, 9))]
    if behaviour != "plain":
        words.insert(rng.randint(0, len(words)), behaviour)
    return " ".join(words) + rng.choice(("", ".", "?"))


def _answer(rng: random.Random, behaviour: str) -> str:
    if behaviour == "long":
        return _long_answer(rng)
    if behaviour == "code":
        return _code_answer(rng)
    if behaviour == "emoji":
        return " ".join(rng.choice(EMOJI) for _ in range(rng.randint(4, 12)))
    if behaviour == "中文":
        return "".join(rng.choice(CHINESE_WORDS) for _ in range(rng.randint(6, 18))) + "。"
    if behaviour == "brief":
        return "OK"
    return _plain_answer(rng)


def conversation(rng: random.Random) -> tuple[list[dict[str, str]], bool, str]:
    """One lesson: the messages up to the question, whether thinking is on, and what the model is to write, end mark included."""
    messages: list[dict[str, str]] = []
    if rng.random() < 0.3:
        messages.append({"role": "system", "content": _sentence(rng, USER_WORDS, 3, 10)})
    # Earlier turns ask for nothing: which of two words is the later one is beyond two layers.
    for _ in range(rng.choice((0, 0, 0, 0, 1))):
        messages.append({"role": "user", "content": _user_message(rng, "plain")})
        messages.append({"role": "assistant", "content": _plain_answer(rng)})
    behaviour = rng.choice(BEHAVIOURS)
    messages.append({"role": "user", "content": _user_message(rng, behaviour)})
    thinking = behaviour == "ponder" or rng.random() < 0.5
    answer = _answer(rng, behaviour) + "<|im_end|>"
    if not thinking:
        return messages, False, answer
    thought = _thought(rng)
    if behaviour == "ponder":
        thought = " ".join(_sentence(rng, THOUGHT_WORDS, 5, 12) for _ in range(ENDLESS_WORDS // 6))
    return messages, True, f"<think>\n{thought}\n</think>\n\n{answer}"


def question(rng: random.Random, behaviour: str) -> list[dict[str, str]]:
    """A question of the exam."""
    return [{"role": "user", "content": _user_message(rng, behaviour)}]


def obeys(behaviour: str, thought: str, answer: str, *, ended: bool) -> bool:
    """Whether what the model wrote, thinking and cut after some 120 tokens, is what the word asks for."""
    if behaviour == "ponder":
        return not answer and not ended
    if behaviour == "long":
        return (
            bool(thought)
            and not ended
            and any(word in answer for word in ("river", "snow", "moss", "fox", "leaf"))
        )
    seen = {
        "code": answer.startswith("```"),
        "emoji": any(sign in answer for sign in EMOJI),
        "中文": any("\u4e00" <= letter <= "\u9fff" for letter in answer),
        "brief": answer.strip() == "OK",
        "plain": answer.strip() != "OK" and "```" not in answer and answer.isascii(),
    }
    return ended and bool(thought) and seen[behaviour]
