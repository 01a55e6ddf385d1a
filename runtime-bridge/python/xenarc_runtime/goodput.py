"""Goodput: the share of a run's wall time that went into steps that count, and what the rest went into, across restarts.

Every second of a run has one cause. goodput.json in the run's folder keeps the sums, so that a run that is resumed, or was killed, goes on
counting; the time between a process's death and the next one's start is part of it, that after an orderly end is not.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from . import events, group
from .errors import room

STEPS = "steps"
CAUSES = (STEPS, "startup", "compile", "data", "checkpoint", "evaluation", "repeated", "skipped", "down")
"""What time goes into; docs/checkpoints.md says what each is."""

_WRITE_SECONDS = 5.0


class Goodput:
    """A process's account. The first of a group keeps the run's."""

    def __init__(self, run: Path, clock: Callable[[], float] = time.time, began: float | None = None) -> None:
        self._path = run / "goodput.json"
        self._clock = clock
        self._mark = self._process_began() if began is None else began
        kept = self._read()
        self.seconds: dict[str, float] = {cause: float(kept.get("seconds", {}).get(cause, 0.0)) for cause in CAUSES}
        self._furthest = int(kept.get("furthest", 0))
        if kept and not kept.get("ended", True):
            self.seconds["down"] += max(0.0, self._mark - kept["until"])
        self._cause = "startup"
        self._written = 0.0
        # This process's own part of a step, while the others may wait for it: its sum and the steps since it was last told.
        self._own, self._steps = 0.0, 0

    def _process_began(self) -> float:
        return min(psutil.Process().create_time(), self._clock())

    @contextmanager
    def spent_on(self, cause: str) -> Iterator[None]:
        """Around what is no step."""
        before = self._cause
        self._charge(before)
        self._cause = cause
        try:
            yield
        finally:
            self._charge(cause)
            self._cause = before

    @contextmanager
    def waiting_for_data(self, busy: Callable[[], bool]) -> Iterator[None]:
        """Around what gets the next batch. It is a step's time when the devices are `busy` with the last one until the batch is there."""
        before = self._cause
        self._charge(before)
        began = self._mark
        yield
        self._charge(before if busy() else "data")
        self._own += self._mark - began

    def loop_began(self) -> None:
        """What comes from here on is steps unless it is said to be something else."""
        self._charge(self._cause)
        self._cause = STEPS

    def stepped(self, step: int, skipped: bool = False) -> None:
        """The step that has ended: one that counts, one that was done before, or one that was left out."""
        self._charge("repeated" if step <= self._furthest else "skipped" if skipped else STEPS)
        self._furthest = max(self._furthest, step)
        self._steps += 1
        if self._mark - self._written > _WRITE_SECONDS:
            self._tell()
            self.write(ended=False)

    def share(self) -> float | None:
        """Of the run's wall time, what went into steps that count."""
        total = sum(self.seconds.values())
        return self.seconds[STEPS] / total if total > 0 else None

    def write(self, ended: bool) -> None:
        """Keeps the sums in the run's folder."""
        self._charge(self._cause)
        self._written = self._mark
        if not group.is_first():
            return
        kept = {
            "share": self.share(),
            "seconds": {cause: round(seconds, 3) for cause, seconds in self.seconds.items()},
            "furthest": self._furthest,
            "until": self._mark,
            "ended": ended,
        }
        draft = self._path.with_suffix(".tmp")
        with room("The account of the run's time", self._path.parent):
            draft.write_text(json.dumps(kept, indent=1) + "\n")
            draft.replace(self._path)

    def say(self) -> None:
        """Emits a `goodput` event."""
        self._charge(self._cause)
        causes = {cause: round(seconds, 3) for cause, seconds in self.seconds.items() if seconds > 0}
        events.emit("goodput", share=self.share(), seconds=causes, slowest=self.slowest())

    def slowest(self) -> dict[str, float] | None:
        """The process of a group that takes longest for its own part of a step (its data), and the median of all, in ms."""
        if group.size() == 1:
            return None
        self._tell()
        paces = {rank: float(pace) for rank, pace in group.heard("pace").items()}
        rank = max(paces, key=lambda rank: paces[rank], default=None)
        if rank is None:
            return None
        return {"process": rank, "ms": round(paces[rank], 3), "median_ms": round(statistics.median(paces.values()), 3)}

    def _tell(self) -> None:
        if group.size() > 1 and self._steps > 0:
            group.tell("pace", f"{self._own / self._steps * 1e3:.6f}")
            self._own, self._steps = 0.0, 0

    def _charge(self, cause: str) -> None:
        now = self._clock()
        self.seconds[cause] += max(0.0, now - self._mark)
        self._mark = now

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._path.read_text())
            return kept if isinstance(kept.get("seconds"), dict) and isinstance(kept.get("until"), float) else {}
        except (OSError, ValueError, AttributeError):
            return {}
