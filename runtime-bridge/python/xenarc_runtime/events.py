"""JSON-line events on standard output: the runtime's only voice.

Whatever else writes to standard output (a library, XLA) is sent to standard error, so that every line parses.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
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
    """Keeps standard output for events; file descriptor 1 then leads to standard error.

    Names of files that are not UTF-8 are said with `\\udcXX`, which is JSON, for each byte that is none.
    """
    global _output
    _output = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(2, 1)


def emit(event: str, **fields: Any) -> None:
    """Writes one event, with null for numbers that are not finite."""
    global _reader_gone
    if _errors_only and event != "error":
        return
    line = json.dumps({"event": event, **plain(fields)}, ensure_ascii=False)
    stream = _output or sys.stdout
    if not _reader_gone:
        try:
            stream.write(line + "\n")
            stream.flush()
        except BrokenPipeError:
            _reader_gone = True
    if _listener is not None:
        # A full disk is told by what must be written to it, in an event that comes this way, too.
        with suppress(OSError):
            _listener(event, fields)


def reader_gone() -> bool:
    """Whether whoever read the events has ended; the work then ends too, as it does on a signal."""
    return _reader_gone


def plain(value: Any) -> Any:
    """A value as JSON has it: not-a-number and infinities become null, which it has no words for."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value
