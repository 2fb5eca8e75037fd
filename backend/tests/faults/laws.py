"""What has to be true of a run when it has ended, of the engine's requests for it, and of everybody who read along. Pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from tests.fakes.received import Received
from tests.fakes.vocabulary import Planned

Json = dict[str, Any]
CHANNELS = ("reasoning", "content")


def told(events: Iterable[Json], up_to: int) -> dict[str, str]:
    """Return the text of each channel that the deltas up to a number tell."""
    text = dict.fromkeys(CHANNELS, "")
    for event in events:
        if event["type"] == "run.delta" and event["seq"] <= up_to:
            text[event["channel"]] += event["text"]
    return text


def broken_by_events(events: Sequence[Json], stored: Json) -> list[str]:
    """Return what laws 1, 3, 5 and 7 find wrong with all events of a run and its stored message."""
    found = []
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        found.append(f"numbers with a hole: {[event['seq'] for event in events]}")
    ends = [event for event in events if event["type"] == "run.ended"]
    if len(ends) != 1 or events[-1] is not ends[0]:
        return [*found, f"{len(ends)} ends"]
    [end] = ends
    if end["message"] != stored:
        found.append(f"the end has {end['message']}, stored is {stored}")
    if end["outcome"] != stored["status"]:
        found.append(f"{end['outcome']} was told, {stored['status']} is stored")
    text = told(events, end["text_seq"])
    found += [
        f"{name} told is {text[name]!r}, stored {stored[name]!r}"
        for name in CHANNELS
        if text[name] != stored[name]
    ]
    if end["outcome"] != "stopped" and end["text_seq"] != end["seq"] - 1:
        found.append(f"text_seq {end['text_seq']} of a run that ended by itself at {end['seq']}")
    starts = [event["continued"] for event in events if event["type"] == "run.started"]
    if starts != list(range(len(starts))):
        found.append(f"continued counts {starts}")
    return found


def broken_by_reader(sent: dict[int, Json], events: Sequence[Json], ended: Json, stored: Json) -> list[str]:
    """Return what laws 2 and 6 find wrong with what one reader was sent."""
    by_seq = {event["seq"]: event for event in events}
    found = [
        f"event {seq} was shown as {event}, and is {by_seq.get(seq)}"
        for seq, event in sent.items()
        if by_seq and by_seq.get(seq) != event
    ]
    # what belongs to the chat as it is now may have changed since
    beside = {"updated_at", "sibling_ids"}
    if {k: v for k, v in ended.items() if k not in beside} != {
        k: v for k, v in stored.items() if k not in beside
    }:
        found.append(f"the reader ended with {ended}, stored is {stored}")
    return found


def broken_by_requests(received: Sequence[Received], stored: Json) -> list[str]:
    """Return what is wrong with the requests for one run: each must begin afresh with nothing shown, or go on exactly."""
    found: list[str] = []
    fresh = [one for one in received if one.path.endswith("/chat/completions") and one.planned]
    if not fresh:
        if stored["content"] or stored["reasoning"]:
            found.append("a text that the engine has never given")
        return found
    whole = {name: text_of(fresh[-1].planned, name) for name in CHANNELS}
    if stored["status"] == "completed":
        found += [
            f"{name} is {stored[name]!r}, the engine gave {whole[name]!r}"
            for name in CHANNELS
            if stored[name] != whole[name]
        ]
    else:
        found += [
            f"{name} is {stored[name]!r}, no beginning of {whole[name]!r}"
            for name in CHANNELS
            if not whole[name].startswith(stored[name])
        ]
    asked = [one for one in received if one.number >= fresh[-1].number]
    ids = fresh[-1].prompt_ids + [token for _, _, token in fresh[-1].planned]
    for before, after in pairwise(asked):
        prompt = after.body.get("prompt")
        if not isinstance(prompt, list):
            found.append(f"request {after.number} for the same text is no continuation by tokens")
        elif prompt != ids[: len(prompt)] or len(prompt) <= len(fresh[-1].prompt_ids):
            found.append(f"request {after.number} goes on from other tokens than those of the answer")
        if after.body["max_tokens"] > before.body["max_tokens"]:
            found.append(f"request {after.number} asks for more than the one before it")
    return found


def text_of(planned: Sequence[Planned], channel: str) -> str:
    """Return the text of a channel of a planned answer."""
    return "".join(text for name, text, _ in planned if name == channel)
