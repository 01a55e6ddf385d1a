"""Conversations, and prompts with their completions, as tokens of which some are learnt: the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .chat_template import compiled
from .errors import Problem
from .tokenizer import Tokenizer


def format_record(
    record: Mapping[str, Any], tokenizer: Tokenizer, settings: Mapping[str, Any] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The ids of a record and a mask of the same length: 1 for each token of an answer, its end included.

    A record has `messages` (a list of `role` and `content`, and whatever else the chat template reads) or a `prompt` and
    its `completion`; `settings` (the section `data`) may say which in `format`. Raises Problem.
    """
    wanted = (settings or {}).get("format", "text")
    kind = wanted if wanted != "text" else "chat" if "messages" in record else "completion"
    return _chat(record, tokenizer) if kind == "chat" else _completion(record, tokenizer)


def _completion(record: Mapping[str, Any], tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
    prompt, completion = (_field(record, name, str, "a text") for name in ("prompt", "completion"))
    text = prompt + completion
    ids, mask = tokenizer.encode_spans(text, [(len(prompt), len(text))])
    if tokenizer.eos is not None and (ids.size == 0 or ids[-1] != tokenizer.eos):
        ids, mask = np.append(ids, ids.dtype.type(tokenizer.eos)), np.append(mask, np.uint8(1))
    return ids, mask


_EXPECTED = 'Expected {"role": "user" or "assistant", "content": "..."}.'


def _chat(record: Mapping[str, Any], tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
    messages = _field(record, "messages", list, "a list of messages")
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise Problem("data_record", f"Message {number} has no role.", _EXPECTED)
        if message.get("content") is None and not message.get("tool_calls"):
            raise Problem("data_record", f"Message {number} has no content.", _EXPECTED)
    if not any(message["role"] == "assistant" for message in messages):
        raise Problem("data_record", "The conversation has no message of the role `assistant`: nothing is learnt of it.")
    if tokenizer.template is None:
        raise Problem(
            "chat_template",
            "The tokenizer has no chat template, which makes text of messages.",
            "Name a file with one: data.chatTemplate.",
        )
    others = {name: value for name, value in record.items() if name in ("tools", "documents")}
    text, answers = compiled(tokenizer.template).answers(messages, {**tokenizer.special, **others})
    # The template writes what the tokenizer would put around a text.
    return tokenizer.encode_spans(text, answers, special=False)


def _field(record: Mapping[str, Any], name: str, kind: type, expected: str) -> Any:
    value = record.get(name)
    if isinstance(value, kind):
        return value
    has = f"it has: {', '.join(map(str, record)) or 'none'}" if name not in record else f"`{name}` is another thing"
    raise Problem("data_record", f"The record's field `{name}` is to be {expected}; {has}.")
