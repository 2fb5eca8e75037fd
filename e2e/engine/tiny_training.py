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
from tiny_corpus import BEHAVIOURS, conversation
from transformers import AutoTokenizer, GenerationConfig, Qwen3Config, Qwen3ForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()

SEED = 20260
LESSONS = 3000
WINDOW = 160
BATCH = 16
STEPS = 600
PEAK_RATE = 4e-3
MAX_CONTEXT = 32768
VOCABULARY = 151936
FIRST_ADDED_TOKEN = 151643  # from here on: <|im_start|>, <think> and the like
UNKNOWN_WORDS = 0.1
IGNORED = -100
DECISION_WEIGHT = (
    8.0  # the first words of an answer say which behaviour was asked for; they are few among many
)


def lessons(tokenizer, count: int) -> list[tuple[list[int], int]]:
    """Token ids of whole lessons, cut to the window, and where the model's own part begins."""
    rng = random.Random(SEED)
    made = []
    for _ in range(count):
        messages, thinking, answer = conversation(rng)
        prompt = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
        )
        prompt_ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answer_ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
        # A long history loses its beginning, never its question.
        prompt_ids = prompt_ids[-WINDOW // 2 :]
        made.append(((prompt_ids + answer_ids)[: WINDOW + 1], len(prompt_ids)))
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


def train(tokenizer_folder: Path, folder: Path) -> None:
    """Writes the trained model, tokenizer and template to `folder`."""
    torch.manual_seed(SEED)
    torch.set_num_threads(os.cpu_count() or 1)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    texts = lessons(tokenizer, LESSONS)
    end, pad, end_of_thought = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>", "</think>"])

    # All tokens that no lesson has share one embedding. So the softmax over 151,936 tokens is, exactly, one over the few
    # hundred that occur plus one that counts for all the others: a small model is trained and spread out at the end.
    used = sorted({token for ids, _ in texts for token in ids} | {end, pad})
    small_id = {token: index for index, token in enumerate(used)}
    other = len(used)
    share = torch.zeros(len(used) + 1)
    share[other] = math.log(VOCABULARY - len(used))
    # Words that no lesson has occur in the tests' questions. The template's own and those that ask for something stay.
    meant = tokenizer.convert_tokens_to_ids(["user", "assistant", "system", "Ċ"])
    for word in BEHAVIOURS:
        meant += tokenizer(word)["input_ids"] + tokenizer(f" {word}")["input_ids"]
    plain_text = torch.tensor([token < FIRST_ADDED_TOKEN and token not in meant for token in used] + [False])

    model = Qwen3ForCausalLM(configuration(len(used) + 1, small_id[end], small_id[pad]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=STEPS, pct_start=0.1)
    rng = random.Random(SEED)
    began = time.monotonic()
    for step in range(1, STEPS + 1):
        batch = rng.sample(texts, BATCH)
        width = max(len(ids) for ids, _ in batch) - 1
        inputs = torch.full((BATCH, width), small_id[pad])
        targets = torch.full((BATCH, width), IGNORED)
        emphasis = torch.zeros((BATCH, width))
        for row, (ids, start) in enumerate(batch):
            line = torch.tensor([small_id[token] for token in ids])
            inputs[row, : len(ids) - 1] = line[:-1]
            targets[row, start - 1 : len(ids) - 1] = line[start:]
            emphasis[row, start - 1 : len(ids) - 1] = 1.0
            for decision in (
                start - 1,
                *(place + 1 for place, token in enumerate(ids) if token == end_of_thought),
            ):
                emphasis[row, decision : decision + 2] *= DECISION_WEIGHT
        blank = (torch.rand(inputs.shape) < UNKNOWN_WORDS) & (targets == IGNORED) & plain_text[inputs]
        logits = model(input_ids=torch.where(blank, other, inputs)).logits + share
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(
                f"    tiny Qwen3: step {step}/{STEPS}, loss {loss.item():.2f}, {time.monotonic() - began:.0f} s",
                flush=True,
            )

    whole = Qwen3ForCausalLM(configuration(VOCABULARY, end, pad))
    weights = dict(model.state_dict())
    table = weights["model.embed_tokens.weight"]
    spread = table[other].repeat(VOCABULARY, 1)
    spread[torch.tensor(used)] = table[:other]
    weights["model.embed_tokens.weight"] = weights["lm_head.weight"] = spread
    whole.load_state_dict(weights)
    # As Qwen3's own: without it the rarest bytes are drawn now and then, and make no character.
    whole.generation_config = GenerationConfig(
        do_sample=True, temperature=0.7, top_k=20, top_p=0.95, eos_token_id=end, pad_token_id=pad
    )
    folder.mkdir(parents=True, exist_ok=True)
    whole.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the tiny Qwen3")
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    train(options.tokenizer, options.folder)
