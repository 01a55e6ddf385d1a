"""What becomes of a step whose loss or gradient is not finite, or a spike: `train.badSteps`.

The program judges its steps where the policy or a spike asks for it (models/train/health.ts); otherwise the loss and the gradient's norm are looked at here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from . import events
from .artifact import Artifact
from .data import Feed
from .errors import Problem

_REASONS = {1: "the loss is not finite", 2: "the gradient is not finite", 3: "the loss or the gradient's norm is a spike"}
"""The metric `bad_reason` in words."""


class RollBack(Exception):
    """The run is to go on from its last checkpoint, with the data from `position` on: behind the batch that was bad."""

    def __init__(self, what: str, position: dict[str, Any]) -> None:
        super().__init__(what)
        self.what, self.position = what, position


class BadSteps:
    """Counts bad steps, and says what is to become of them. `counts` are those of a checkpoint's record."""

    def __init__(self, artifact: Artifact, counts: Mapping[str, int] | None = None) -> None:
        settings = artifact.config["train"].get("badSteps", {})
        self.policy: str = settings.get("policy", "abort")
        self._most: int = settings.get("rollbacks", 0)
        self.skipped, self.rollbacks = 0, 0
        if counts is not None:
            self.skipped, self.rollbacks = counts["skipped"], counts["rollbacks"]
        # The data's positions after the last two steps: when one is found to be bad, the next one has begun.
        self._positions: dict[int, dict[str, Any]] = {}

    def counts(self) -> dict[str, int]:
        """For a checkpoint's record."""
        return {"skipped": self.skipped, "rollbacks": self.rollbacks}

    def began(self, step: int, feed: Feed) -> None:
        """Notes where the data stand after a step's batch, to go on from there if the step turns out to be bad."""
        if self.policy == "rollback":
            self._positions = {step: feed.state(), **{s: p for s, p in self._positions.items() if s == step - 1}}

    def rolled_back(self, bad: RollBack, step: int) -> None:
        """Counts and says that the run goes on from the checkpoint of `step`."""
        self.rollbacks += 1
        where = f"the checkpoint of step {step}" if step > 0 else "the beginning"
        events.emit(
            "log",
            level="warning",
            message=f"{bad.what} Going on from {where}, behind that batch (rollback {self.rollbacks} of at most {self._most}).",
        )

    def reason(self, values: Mapping[str, Any]) -> str | None:
        """Why a step with these metrics is bad; None: it is not."""
        if "bad_step" in values:
            return _REASONS.get(int(values["bad_reason"]), "the program says so") if values["bad_step"] else None
        looked_at = (values.get("loss"), values.get("grad_norm"))
        return next((_REASONS[n] for n, value in enumerate(looked_at, 1) if value is not None and not math.isfinite(value)), None)

    def handle(self, step: int, values: Mapping[str, Any], reason: str) -> None:
        """Goes by the policy. Raises RollBack, or Problem where the run is to stop."""
        seen = ", ".join(f"{name} {values[name]:.6g}" for name in ("loss", "grad_norm") if name in values)
        what = f"Step {step} is bad: {reason} ({seen})."
        if values.get("skipped"):
            self.skipped += 1
            events.emit("log", level="warning", message=f"{what} It is left out, the {_ordinal(self.skipped)} so far.")
        elif self.policy == "rollback" and self.rollbacks < self._most:
            raise RollBack(what, self._positions[step])
        else:
            limit = f" The run was rolled back {self.rollbacks} times already." if self.policy == "rollback" else ""
            # What comes after is as lost; the checkpoints that there are stay.
            raise Problem(
                "loss_not_finite" if reason == _REASONS[1] and "bad_step" not in values else "bad_step",
                what + limit,
                "Lower train.learningRate, give it a longer train.warmup, clip gradients at a lower train.clip, or leave such"
                " steps out with train.badSteps.policy=skip; --anomaly names the operation that a NaN began with;"
                " checkpoints of earlier steps are kept: --resume goes on from the newest.",
            )


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
