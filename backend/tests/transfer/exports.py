"""Small exports of other programs, in the shapes they have, and what each means."""

from typing import Any

AT = 1_700_000_000
ISO = "2023-11-14T22:13:20Z"


def node(key: str, parent: str | None, role: str, said: str, **more: Any) -> dict[str, Any]:
    """Return a node of ChatGPT's mapping."""
    message = {
        "id": key,
        "author": {"role": role},
        "create_time": AT + 1.5,
        "content": {"content_type": "text", "parts": [said]},
        "metadata": {"model_slug": "gpt-x"} if role == "assistant" else {},
        **more,
    }
    return {"id": key, "message": message, "parent": parent, "children": []}


def chatgpt() -> dict[str, Any]:
    """A conversation with a branch, a hidden system message, thoughts and a tool."""
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "let me think"}]}
    mapping = {
        "root": {"id": "root", "message": None, "parent": None, "children": ["sys"]},
        "sys": node("sys", "root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
        "u1": node("u1", "sys", "user", "Why is 天 blue?"),
        "t1": node("t1", "u1", "assistant", "", content=thoughts),
        "tool": node("tool", "t1", "tool", "searched"),
        "a1": node("a1", "tool", "assistant", "Scattering."),
        "a2": node("a2", "u1", "assistant", "Rayleigh."),
    }
    return {
        "title": "Sky",
        "create_time": AT,
        "update_time": AT + 60,
        "mapping": mapping,
        "current_node": "a1",
        "conversation_id": "c",
        "is_archived": True,
    }


def claude() -> dict[str, Any]:
    """A conversation with thinking and an attachment."""
    return {
        "uuid": "c",
        "name": "Sky",
        "created_at": ISO,
        "updated_at": "2023-11-14T22:14:20.5Z",
        "chat_messages": [
            {
                "uuid": "m1",
                "text": "Why?",
                "sender": "human",
                "created_at": ISO,
                "content": [{"type": "text", "text": "Why?"}],
                "attachments": [{"file_name": "a.txt", "extracted_content": "attached"}],
            },
            {
                "uuid": "m2",
                "text": "Because.",
                "sender": "assistant",
                "created_at": ISO,
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Because."}],
            },
        ],
    }


def open_webui() -> dict[str, Any]:
    """A chat with a branch, thinking and tags."""
    thought = '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n> a &lt; b\n> c\n</details>\n'
    messages = {
        "m1": {"id": "m1", "parentId": None, "role": "user", "content": "Why?", "timestamp": AT},
        "m2": {
            "id": "m2",
            "parentId": "m1",
            "role": "assistant",
            "content": thought + "Because.",
            "model": "qwen",
            "timestamp": AT + 1,
            "done": True,
        },
        "m3": {"id": "m3", "parentId": "m1", "role": "assistant", "content": "So.", "timestamp": AT + 2},
    }
    return {
        "id": "c",
        "user_id": "someone",
        "title": "Sky",
        "chat": {
            "title": "Sky",
            "models": ["qwen"],
            "history": {"messages": messages, "currentId": "m2"},
            "params": {"system": "Be brief."},
        },
        "created_at": AT,
        "updated_at": AT + 60,
        "archived": False,
        "pinned": True,
        "meta": {"tags": ["physics"]},
    }


def librechat(*, recursive: bool = False) -> dict[str, Any]:
    """A conversation with a branch and thinking, flat or nested."""
    no_parent = "00000000-0000-0000-0000-000000000000"
    m1 = {
        "messageId": "m1",
        "parentMessageId": no_parent,
        "text": "Why?",
        "sender": "User",
        "isCreatedByUser": True,
        "createdAt": ISO,
    }
    m2 = {
        "messageId": "m2",
        "parentMessageId": "m1",
        "sender": "Qwen",
        "isCreatedByUser": False,
        "content": [{"type": "think", "think": "hm"}, {"type": "text", "text": {"value": "Because."}}],
        "model": "qwen",
        "createdAt": ISO,
    }
    m3 = {
        "messageId": "m3",
        "parentMessageId": "m1",
        "text": "So.",
        "sender": "Qwen",
        "isCreatedByUser": False,
    }
    messages: list[Any] = [{**m1, "children": [m2, m3]}] if recursive else [m1, m2, m3]
    return {
        "conversationId": "c",
        "title": "Sky",
        "exportAt": ISO,
        "branches": True,
        "recursive": recursive,
        "options": {"model": "qwen", "promptPrefix": "Be brief."},
        "messages": messages,
    }
