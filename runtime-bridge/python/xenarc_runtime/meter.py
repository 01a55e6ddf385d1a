"""How a run goes: a step's metrics, read while the next step runs, to the tracker and into `progress` events."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import events
from .bad_steps import BadSteps
from .goodput import Goodput
from .program import Arrays
from .settings import Settings
from .speed import Resources, Work, rates
from .tracking import Tracker
from .words import step_line

_PROGRESS_SECONDS = 0.5


class Meter:
    """Reads a step's metrics while the next step runs, and says how the run goes."""

    def __init__(
        self,
        settings: Settings,
        work: Work,
        tracker: Tracker,
        goodput: Goodput,
        bad_steps: BadSteps,
        resources: Resources | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.loss: float | None = tracker.metrics.last("loss")
        self.validation_loss: float | None = tracker.metrics.last("validation_loss")
        self._settings = settings
        self._work = work
        self._tracker = tracker
        self._goodput = goodput
        self._bad_steps = bad_steps
        self._resources = resources or Resources()
        self._clock = clock
        self._began = clock()
        self._pending: tuple[int, Arrays] | None = None
        self._said = -math.inf
        self._mark: tuple[int, float] | None = None
        self._step_seconds: float | None = None
        self._evaluation_seconds = 0.0
        # Since the last log line: steps and their seconds. All that was waited for data until then.
        self._steps, self._seconds, self._waited = 0, 0.0, goodput.seconds["data"]

    def seconds(self) -> float:
        """Since the loop began."""
        return round(self._clock() - self._began, 3)

    def add(self, step: int, metrics: Arrays) -> None:
        """Takes the metrics of a step that was just started; reads those of the step before."""
        self.flush()
        self._pending = (step, metrics)

    def flush(self) -> None:
        """Reads the metrics of the last step, waiting for it if need be. Raises RollBack or Problem where it is bad."""
        if self._pending is None:
            return
        (step, metrics), self._pending = self._pending, None
        # A metric by layer, by expert, is a list of numbers.
        values = {name: np.asarray(value).astype(float).tolist() for name, value in metrics.items()}
        now = self._clock()
        self._count(step, now)
        self.loss = values.get("loss")
        bad = self._bad_steps.reason(values)
        self._goodput.stepped(step, skipped=bad is not None)
        if step % self._settings.log_every == 0 or step in (1, self._settings.steps) or bad is not None:
            self._log(step, values)
        elif now - self._said >= _PROGRESS_SECONDS:
            self._emit(step, values)
        if bad is not None:
            self._bad_steps.handle(step, values, bad)

    def evaluated(self, step: int, loss: float, tokens: int) -> None:
        """Notes the validation loss. The time an evaluation takes is not a step's."""
        now = self._clock()
        if self._mark is not None:
            self._evaluation_seconds = now - self._mark[1]
        self.validation_loss = loss
        self._tracker.scalars(step, {"validation_loss": loss})
        events.emit("eval", step=step, loss=loss, tokens=tokens)
        self.skip(step)

    def skip(self, step: int) -> None:
        """The time since the last step, which was `step`, is none of a step's: it went into something else."""
        self._mark = (step, self._clock())

    def _count(self, step: int, now: float) -> None:
        if self._mark is not None:
            steps, seconds = step - self._mark[0], now - self._mark[1]
            # An average over about the last twenty steps: steady, yet quick to notice a busy machine.
            previous = seconds / steps if self._step_seconds is None else self._step_seconds
            self._step_seconds = previous + 0.05 * (seconds / steps - previous)
            self._steps += steps
            self._seconds += seconds
        self._mark = (step, now)

    def _log(self, step: int, values: dict[str, Any]) -> None:
        waited = self._goodput.seconds["data"]
        measured = {**rates(self._work, self._steps, self._seconds, waited - self._waited), **self._resources.read()}
        share = self._goodput.share()
        if share is not None:
            measured["perf/goodput"] = share
        self._steps, self._seconds, self._waited = 0, 0.0, waited
        self._tracker.scalars(step, values)
        self._tracker.measured(step, measured)
        line = step_line(step, self._settings.steps, {**values, **measured}, self._seconds_left(step))
        self._emit(step, values, line=line, measured=measured)

    def _emit(self, step: int, values: dict[str, Any], **logged: Any) -> None:
        self._said = self._clock()
        seconds, left = self._step_seconds, self._seconds_left(step)
        events.emit(
            "progress",
            step=step,
            steps=self._settings.steps,
            **values,
            step_ms=None if seconds is None else round(seconds * 1e3, 2),
            tokens_per_second=None if not seconds else round(self._work.tokens / seconds),
            seconds_left=None if left is None else round(left, 1),
            **logged,
        )

    def _seconds_left(self, step: int) -> float | None:
        if self._step_seconds is None:
            return None
        last, every = self._settings.steps, self._settings.evaluation.every
        evaluations = last // every - step // every + (last % every != 0)
        return self._step_seconds * (last - step) + self._evaluation_seconds * evaluations
