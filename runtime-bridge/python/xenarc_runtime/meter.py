"""How a run goes: a step's metrics, read while the next step runs, into metrics.jsonl and `progress` events."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from . import events
from .errors import Problem
from .metrics import MetricsLog
from .program import Arrays
from .settings import Settings

_PROGRESS_SECONDS = 0.5


class Meter:
    """Reads a step's metrics while the next step runs, and says how the run goes."""

    def __init__(self, settings: Settings, step: int, tokens_per_step: int, log: MetricsLog) -> None:
        self.loss: float | None = None
        self.validation_loss: float | None = log.last("validation_loss")
        self._settings = settings
        self._tokens = tokens_per_step
        self._log = log
        self._began = time.monotonic()
        self._pending: tuple[int, Arrays] | None = None
        self._said = 0.0
        self._mark: tuple[int, float] | None = None
        self._step_seconds: float | None = None
        self._evaluation_seconds = 0.0

    def seconds(self) -> float:
        """Since the loop began."""
        return round(time.monotonic() - self._began, 3)

    def add(self, step: int, metrics: Arrays) -> None:
        """Takes the metrics of a step that was just started; reads those of the step before."""
        self.flush()
        self._pending = (step, metrics)

    def flush(self) -> None:
        """Reads the metrics of the last step, waiting for it if need be."""
        if self._pending is None:
            return
        (step, metrics), self._pending = self._pending, None
        # A metric by layer, by expert, is a list of numbers.
        values = {name: np.asarray(value).astype(float).tolist() for name, value in metrics.items()}
        now = time.monotonic()
        if self._mark is not None:
            elapsed = (now - self._mark[1]) / (step - self._mark[0])
            # An average over about the last twenty steps: steady, yet quick to notice a busy machine.
            previous = elapsed if self._step_seconds is None else self._step_seconds
            self._step_seconds = previous + 0.05 * (elapsed - previous)
        self._mark = (step, now)
        self.loss = values.get("loss")
        logged = step % self._settings.log_every == 0 or step in (1, self._settings.steps)
        if logged:
            self._log.add({"step": step, **values})
        finite = self.loss is None or math.isfinite(self.loss)
        if logged or not finite or now - self._said >= _PROGRESS_SECONDS:
            self._said = now
            self._emit(step, values)
        if not finite:
            # What comes after is as lost; the checkpoints that there are stay.
            raise Problem(
                "loss_not_finite",
                f"The loss of step {step} is {self.loss}: the weights are of no use any more.",
                "Lower train.learningRate, give it a longer train.warmup or clip gradients at a lower train.clip;"
                " checkpoints of earlier steps are kept: --resume goes on from the newest.",
            )

    def evaluated(self, step: int, loss: float, tokens: int) -> None:
        """Notes the validation loss. The time an evaluation takes is not a step's."""
        now = time.monotonic()
        if self._mark is not None:
            self._evaluation_seconds = now - self._mark[1]
        self._mark = (step, now)
        self.validation_loss = loss
        self._log.add({"step": step, "validation_loss": loss})
        events.emit("eval", step=step, loss=loss, tokens=tokens)

    def _emit(self, step: int, values: dict[str, Any]) -> None:
        seconds = self._step_seconds
        events.emit(
            "progress",
            step=step,
            steps=self._settings.steps,
            **values,
            step_ms=None if seconds is None else round(seconds * 1e3, 2),
            tokens_per_second=None if not seconds else round(self._tokens / seconds),
            seconds_left=None if seconds is None else round(self._seconds_left(step, seconds), 1),
        )

    def _seconds_left(self, step: int, step_seconds: float) -> float:
        last, every = self._settings.steps, self._settings.evaluate_every
        evaluations = last // every - step // every + (last % every != 0)
        return step_seconds * (last - step) + self._evaluation_seconds * evaluations
