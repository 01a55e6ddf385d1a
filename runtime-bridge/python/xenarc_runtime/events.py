"""JSON-line events on standard output: the runtime's only voice.

Whatever else writes to standard output (a library, XLA) is sent to standard error, so that every line parses.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

_output: TextIO | None = None
_reader_gone = False
_errors_only = False
_listener: Callable[[str, dict[str, Any]], None] | None = None


def listen(listener: Callable[[str, dict[str, Any]], None]) -> None:
    """From here on whoever is given hears every event too: its name and its fields."""
    global _listener
    _listener = listener


def errors_only() -> None:
    """From here on only errors are said: another process speaks for all."""
    global _errors_only
    _errors_only = True


def claim_stdout() -> None:
    """Keeps standard output for events; file descriptor 1 then leads to standard error."""
    global _output
    _output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)


def emit(event: str, **fields: Any) -> None:
    """Writes one event. Not-a-number and infinities become null, which JSON has no words for."""
    global _reader_gone
    if _errors_only and event != "error":
        return
    if _listener is not None:
        _listener(event, fields)
    line = json.dumps({"event": event, **{name: _plain(value) for name, value in fields.items()}}, ensure_ascii=False)
    stream = _output or sys.stdout
    if _reader_gone:
        return
    try:
        stream.write(line + "\n")
        stream.flush()
    except BrokenPipeError:
        _reader_gone = True


def reader_gone() -> bool:
    """Whether whoever read the events has ended; the work then ends too, as it does on a signal."""
    return _reader_gone


def _plain(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value
