"""Trains the tiny Qwen3 for the tests from nothing: real tokenizer, real chat template, two small layers, about a minute.

It does not decide what is taught (tiny_corpus.py) nor where the result is kept (tiny_model.py). Run by the engine's interpreter.
"""
# ruff: noqa: S311 (lessons are drawn, not secrets)

import argparse
import math
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
# Waiting threads that spin make two busy cores twenty times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from tiny_corpus import BEHAVIOURS, conversation, obeys, question
from transformers import AutoTokenizer, GenerationConfig, Qwen3Config, Qwen3ForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()

SEED = 20260
LESSONS = 3000
BATCH = 16
# (longest lesson in tokens, steps): short ones first, since what a question asks for is decided in the first words.
TERMS = ((80, 500), (160, 300))
MORE_STEPS = 200  # at a time, while the exam is not passed
MOST_TERMS = 6
PEAK_RATE = 3e-3
LAST_RATE = 3e-4
EXAM_QUESTIONS = 6  # for each behaviour
EXAM_TOKENS = 130
PASS_MARK = 0.85
MAX_CONTEXT = 32768
VOCABULARY = 151936
FIRST_ADDED_TOKEN = 151643  # from here on: <|im_start|>, <think> and the like
UNKNOWN_WORDS = 0.1
IGNORED = -100
DECISION_WEIGHT = (
    8.0  # the first words of an answer say which behaviour was asked for; they are few among many
)


def prompt_ids(tokenizer, messages: list[dict[str, str]], *, thinking: bool) -> list[int]:
    """The chat template's own prompt."""
    text = tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
    )
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def lessons(tokenizer, count: int, longest: int) -> list[tuple[list[int], int]]:
    """Token ids of lessons, cut to `longest`, and where the model's own part begins."""
    rng = random.Random(SEED)
    made = []
    for _ in range(count):
        messages, thinking, answer = conversation(rng)
        # A long history loses its beginning, never its question.
        prompt = prompt_ids(tokenizer, messages, thinking=thinking)[-longest // 2 :]
        made.append(
            ((prompt + tokenizer(answer, add_special_tokens=False)["input_ids"])[: longest + 1], len(prompt))
        )
    return made


def configuration(vocabulary: int, end: int, pad: int) -> Qwen3Config:
    return Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=MAX_CONTEXT,
        tie_word_embeddings=True,
        eos_token_id=end,
        bos_token_id=None,
        pad_token_id=pad,
    )


class SmallVocabulary:
    """The few hundred tokens that the lessons have, numbered from 0, and one more for all the others.

    All tokens that no lesson has share one embedding. So the softmax over 151,936 tokens is, exactly, one over these plus
    one that counts for all the others (`share`): a small model is trained and spread out at the end.
    """

    def __init__(self, tokenizer, texts: list[tuple[list[int], int]]) -> None:
        self.tokenizer = tokenizer
        self.end, self.pad, self.end_of_thought = tokenizer.convert_tokens_to_ids(
            ["<|im_end|>", "<|endoftext|>", "</think>"]
        )
        self.used = sorted({token for ids, _ in texts for token in ids} | {self.end, self.pad})
        self.small = {token: index for index, token in enumerate(self.used)}
        self.other = len(self.used)
        self.share = torch.zeros(self.other + 1)
        self.share[self.other] = math.log(VOCABULARY - self.other)
        # Words that no lesson has occur in the tests' questions. The template's own and those that ask for something stay.
        meant = tokenizer.convert_tokens_to_ids(["user", "assistant", "system", "Ċ"])
        for word in BEHAVIOURS:
            meant += tokenizer(word)["input_ids"] + tokenizer(f" {word}")["input_ids"]
        plain = [token < FIRST_ADDED_TOKEN and token not in meant for token in self.used]
        self.plain_text = torch.tensor([*plain, False])

    def encode(self, ids: list[int]) -> torch.Tensor:
        """Small ids of a text."""
        return torch.tensor([self.small.get(token, self.other) for token in ids])

    def decode(self, ids: list[int]) -> str:
        """The text of small ids."""
        return self.tokenizer.decode([self.used[index] for index in ids if index < self.other])


class Teacher:
    """Trains the small model and examines it."""

    def __init__(self, tokenizer) -> None:
        self.tokenizer = tokenizer
        longest = max(width for width, _ in TERMS)
        self.texts = lessons(tokenizer, LESSONS, longest)
        self.words = SmallVocabulary(tokenizer, self.texts)
        words = self.words
        self.model = Qwen3ForCausalLM(
            configuration(words.other + 1, words.small[words.end], words.small[words.pad])
        )
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
        self.rng = random.Random(SEED)
        self.began = time.monotonic()

    def teach(self, width: int, steps: int, rates: tuple[float, float]) -> None:
        """Some steps over lessons cut to `width` tokens, at a rate that goes evenly from the first to the second."""
        for step in range(steps):
            for group in self.optimizer.param_groups:
                group["lr"] = rates[0] + (rates[1] - rates[0]) * step / steps
            loss = self._loss([(ids[:width], start) for ids, start in self.rng.sample(self.texts, BATCH)])
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
        seconds = time.monotonic() - self.began
        print(
            f"    tiny Qwen3: {steps} steps of {width} tokens, loss {loss.item():.2f}, {seconds:.0f} s",
            flush=True,
        )

    def _loss(self, batch: list[tuple[list[int], int]]) -> torch.Tensor:
        words = self.words
        width = max(len(ids) for ids, _ in batch) - 1
        inputs = torch.full((len(batch), width), words.small[words.pad])
        targets = torch.full((len(batch), width), IGNORED)
        weights = torch.zeros((len(batch), width))
        for row, (ids, start) in enumerate(batch):
            line = words.encode(ids)
            inputs[row, : len(ids) - 1] = line[:-1]
            targets[row, start - 1 : len(ids) - 1] = line[start:]
            weights[row, start - 1 : len(ids) - 1] = 1.0
            # The first words of the answer: at once, or after the thought and its empty line.
            ends = [place + 1 for place in range(start, len(ids) - 2) if ids[place] == words.end_of_thought]
            for decision in ends or [start - 1]:
                weights[row, decision : decision + 2] *= DECISION_WEIGHT
        blank = (torch.rand(inputs.shape) < UNKNOWN_WORDS) & (targets == IGNORED) & words.plain_text[inputs]
        logits = self.model(input_ids=torch.where(blank, words.other, inputs)).logits + words.share
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
        )
        return (losses * weights.flatten()).sum() / weights.sum()

    def mark(self) -> float:
        """Share of the exam's questions, thinking on, that were answered as asked."""
        rng = random.Random(SEED + 1)
        right = []
        for behaviour in dict.fromkeys(BEHAVIOURS):
            for _ in range(EXAM_QUESTIONS):
                thought, answer, ended = self._write(question(rng, behaviour))
                right.append(obeys(behaviour, thought, answer, ended=ended))
        return sum(right) / len(right)

    def _write(self, messages: list[dict[str, str]]) -> tuple[str, str, bool]:
        words = self.words
        prompt = words.encode(prompt_ids(self.tokenizer, messages, thinking=True))[None]
        written = self.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=EXAM_TOKENS,
            do_sample=True, temperature=0.7, top_k=20, suppress_tokens=[words.other],
        )[0][prompt.shape[1] :].tolist()  # fmt: skip
        end = words.small[words.end]
        ended = end in written
        text = words.decode(written[: written.index(end)] if ended else written)
        thought, _, answer = text.partition("</think>")
        return thought.removeprefix("<think>").strip(), answer.strip(), ended

    def graduate(self, folder: Path) -> None:
        """Writes the model over the whole vocabulary, with tokenizer and template."""
        words = self.words
        whole = Qwen3ForCausalLM(configuration(VOCABULARY, words.end, words.pad))
        weights = dict(self.model.state_dict())
        table = weights["model.embed_tokens.weight"]
        spread = table[words.other].repeat(VOCABULARY, 1)
        spread[torch.tensor(words.used)] = table[: words.other]
        weights["model.embed_tokens.weight"] = weights["lm_head.weight"] = spread
        whole.load_state_dict(weights)
        # As Qwen3's own: without it the rarest bytes are drawn now and then, and make no character.
        whole.generation_config = GenerationConfig(
            do_sample=True,
            temperature=0.7,
            top_k=20,
            top_p=0.95,
            eos_token_id=words.end,
            pad_token_id=words.pad,
        )
        folder.mkdir(parents=True, exist_ok=True)
        whole.to(torch.bfloat16).save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def main() -> None:
    """Teaches until the exam is passed, then writes the model."""
    parser = argparse.ArgumentParser(description="make the tiny Qwen3")
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(os.cpu_count() or 1)
    teacher = Teacher(AutoTokenizer.from_pretrained(options.tokenizer))
    for width, steps in TERMS:
        teacher.teach(width, steps, (PEAK_RATE, PEAK_RATE if width < TERMS[-1][0] else LAST_RATE))
    for term in range(MOST_TERMS):
        mark = teacher.mark()
        print(f"    tiny Qwen3: exam {mark:.0%}", flush=True)
        if mark >= PASS_MARK:
            break
        if term == MOST_TERMS - 1:
            sys.exit("the tiny Qwen3 did not learn what the words ask for")
        teacher.teach(TERMS[-1][0], MORE_STEPS, (PEAK_RATE / 2, LAST_RATE))
    teacher.graduate(options.folder)


if __name__ == "__main__":
    main()
