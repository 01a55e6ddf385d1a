"""metrics.jsonl of a run: a JSON object per line, with `step`, and either `loss` and its like or `validation_loss`.

What layers report has a number for each layer, in nested lists.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
        text = "".join(json.dumps(entry) + "\n" for entry in self.entries)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(text)
        temporary.replace(path)

    def add(self, entry: Entry) -> None:
        """Writes one entry at once, so that nothing is lost when the process dies."""
        self.entries.append(entry)
        if not self._writes:
            return
        with self.path.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")

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
            entries.append(json.loads(line))
        except ValueError:
            continue  # the last line of a process that died while writing it
    return entries
