"""What the runtime itself reads of an artifact's configuration when it trains."""

from __future__ import annotations

from dataclasses import dataclass

from .artifact import Artifact


@dataclass(frozen=True)
class Settings:
    """What the artifact's configuration says of the run; steps and the schedule are compiled into the program."""

    steps: int
    seed: int
    evaluate_every: int
    checkpoint_every: int
    log_every: int
    keep: int


def settings_of(artifact: Artifact) -> Settings:
    """Raises Problem for an artifact whose configuration lacks some of it."""

    def integer(key: str) -> int:
        return artifact.setting("train", key, int)

    return Settings(
        steps=integer("steps"),
        seed=integer("seed"),
        evaluate_every=integer("evalEvery") or integer("steps"),
        checkpoint_every=integer("checkpointEvery") or integer("steps"),
        log_every=artifact.setting("log", "every", int),
        keep=max(1, integer("keep")),
    )
