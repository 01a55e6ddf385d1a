"""metrics.jsonl of a run: a JSON object per line, with `step`, and either `loss` and its like or `validation_loss`.

What layers report has a number for each layer, in nested lists. JSON has no words for numbers that are not finite: they are null,
and read as not-a-number.
"""

from __future__ import annotations

import json
import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from .errors import room
from .events import plain

Entry = dict[str, Any]


class MetricsLog:
    """Appends entries. A resumed run first drops those from after its checkpoint, which will be computed again.

    `writes` is for one process of a group; the others only remember.
    """

    def __init__(self, path: Path, after: int, writes: bool = True) -> None:
        self.path = path
        self.entries = [entry for entry in read(path) if entry["step"] <= after]
        self._writes = writes
        if not writes:
            return
        temporary = path.with_suffix(".tmp")
        with self._room():
            temporary.write_text("".join(map(_line, self.entries)))
            temporary.replace(path)

    def add(self, entry: Entry) -> None:
        """Writes one entry at once, so that nothing is lost when the process dies."""
        self.entries.append(entry)
        if not self._writes:
            return
        with self._room(), self.path.open("a") as stream:
            stream.write(_line(entry))

    def _room(self) -> AbstractContextManager[None]:
        return room("The run's numbers", self.path.parent)

    def all(self, name: str) -> list[float]:
        """The values of a metric, oldest first."""
        return [entry[name] for entry in self.entries if name in entry]

    def last(self, name: str) -> float | None:
        """The newest value of a metric."""
        return next((entry[name] for entry in reversed(self.entries) if name in entry), None)


def read(path: Path) -> list[Entry]:
    """The entries of a file, oldest first; none where there is no file."""
    if not path.exists():
        return []
    entries = []
    for line in path.read_text().splitlines():
        try:
            entries.append(_numbers(json.loads(line)))
        except ValueError:
            continue  # the last line of a process that died while writing it
    return entries


def _line(entry: Entry) -> str:
    return json.dumps(plain(entry)) + "\n"


def _numbers(value: Any) -> Any:
    if value is None:
        return math.nan
    if isinstance(value, dict):
        return {name: _numbers(v) for name, v in value.items()}
    return [_numbers(v) for v in value] if isinstance(value, list) else value
