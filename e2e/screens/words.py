"""What is written and answered on the pictures, in both languages.

Builds nothing; `chats.py` makes conversations of it.
"""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Words:
    """The texts of one language. `titles` are (title, days ago), newest first; `folder` and `tag` file some of them."""

    locale: str
    question: str
    thought: str
    short: str
    another: str
    again: str
    edited: str
    titles: tuple[tuple[str, int], ...]
    archived: tuple[str, ...]
    folder: str
    tags: tuple[str, str]
    search: str
    nothing: str
    preset: tuple[str, str]
    system_prompt: str
    line: str

    @property
    def answer(self) -> str:
        """A long answer with everything in it: code, table, formula, diagram, list, note."""
        return (HERE / f"answer.{self.locale[:2]}.md").read_text(encoding="utf-8")

    @property
    def main(self) -> str:
        """The title of the chat that most pictures show."""
        return self.titles[0][0]


ENGLISH = Words(
    locale="en-US",
    question="Why is the second turn faster than the first?",
    thought=(
        "The user asks why the second turn starts sooner. Both turns share their beginning: the system prompt and "
        "the first question with its answer. The engine keeps the keys and values of what it has read, block by "
        "block, so only the new part has to be computed.\n\nI should say that first, then what is reused, and show "
        "how the length of the shared part is found."
    ),
    short=(
        "Because the engine **keeps what it has read**. The second turn begins with the same text as the first, so "
        "only your new question has to be computed.\n\nThe longer the conversation, the more this saves."
    ),
    another=(
        "Because the engine **remembers what it has read**. The second turn begins with the text of the first, so "
        "only the new question and its answer need to be computed.\n\nThis saves most in long conversations."
    ),
    again="And when is the cache lost?",
    edited="Why is the third turn faster still?",
    titles=(
        ("Why is the second turn faster?", 0),
        ("Weather in Lisbon 里斯本的天气", 0),
        ("Regex for ISO dates", 1),
        ("Packing list for four days by train", 1),
        ("Names for a small bakery", 3),
        ("翻译一段产品说明", 3),
        ("Interview questions for a data engineer, second round, with a focus on pipelines", 4),
        ("Last row of each group in SQL", 5),
        ("Plan a week of dinners", 22),
        ("What is a monad, without jargon", 24),
        ("Draft: letter to the landlord", 30),
    ),
    archived=("Moving house, the old list", "Notes on the May release"),
    folder="Work",
    tags=("vllm", "writing"),
    search="Lisbon",
    nothing="zeppelin",
    preset=("Translate", "Translate into {{language}}, and keep the tone:\n\n{{text}}"),
    system_prompt="Answer briefly, and say when you are not sure.",
    line="Line {number}: the same text is read once and kept, then found again.\n",
)

CHINESE = Words(
    locale="zh-CN",
    question="为什么第二轮比第一轮快？",
    thought=(
        "用户问为什么第二轮开始得更早。两轮的开头相同：系统提示词，以及第一个问题和它的回答。引擎会按块保存已经读过的键和值，"
        "所以只需要计算新增的部分。\n\n先说结论，再说明哪些内容可以复用，最后给出一段代码，说明如何求出公共前缀的长度。"
    ),
    short=(
        "因为引擎会**保存已经读过的内容**。第二轮的开头与第一轮相同，所以只需要计算新的问题。\n\n对话越长，节省的时间就越多。"
    ),
    another=(
        "因为引擎**记得已经读过的内容**。第二轮以第一轮的文字开头，所以只需要计算新的问题和它的回答。\n\n在长对话里省得最多。"
    ),
    again="那缓存什么时候会失效？",
    edited="为什么第三轮还能更快？",
    titles=(
        ("为什么第二轮更快？", 0),
        ("里斯本的天气 Weather in Lisbon", 0),
        ("匹配 ISO 日期的正则表达式", 1),
        ("四天火车旅行的行李清单", 1),
        ("给一家小面包店起名字", 3),
        ("Regex help", 3),
        ("翻译一段很长的合同条款，并检查其中的术语前后是否一致", 4),
        ("用 SQL 取每组的最后一行", 5),
        ("安排一周的晚餐", 22),
        ("不用术语解释什么是单子", 24),
        ("草稿：写给房东的信", 30),
    ),
    archived=("搬家清单（旧）", "五月版本的发布说明"),
    folder="工作",
    tags=("vllm", "写作"),
    search="天气",
    nothing="齐柏林飞艇",
    preset=("翻译", "翻译成{{语言}}，保持原来的语气：\n\n{{原文}}"),
    system_prompt="回答要简短；不确定的时候请直说。",
    line="第 {number} 行：同样的文字只读一次，保存下来，之后可以直接找到。\n",
)

LANGUAGES = (ENGLISH, CHINESE)
