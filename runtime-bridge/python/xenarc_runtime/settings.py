"""What the runtime itself reads of an artifact's configuration when it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .artifact import Artifact


@dataclass(frozen=True)
class RemoteSettings:
    """The second tier of checkpoints."""

    path: str
    every: int
    keep: int


@dataclass(frozen=True)
class WeightsSettings:
    """When weights alone are written, and how; `dtype` None: as they are stored."""

    every: int
    keep: int
    shard_bytes: int
    dtype: str | None = None


@dataclass(frozen=True)
class CheckpointSettings:
    """When checkpoints are written, and which of them stay; `keep_every` 0: none for good, `best` 0: none for its loss. `base`: what adapters stand beside is in them."""

    every: int
    keep: int
    keep_every: int = 0
    best: int = 0
    remote: RemoteSettings | None = None
    base: bool = False
    weights: WeightsSettings | None = None


@dataclass(frozen=True)
class EvalSettings:
    """When a model is judged while it is trained; `batches` None: by all there are, `patience` None: the run does not end early."""

    every: int
    batches: int | None = None
    patience: int | None = None
    min_delta: float = 0.0


@dataclass(frozen=True)
class Settings:
    """What the artifact's configuration says of the run; steps and the schedule are compiled into the program."""

    steps: int
    seed: int
    evaluation: EvalSettings
    log_every: int
    checkpoint: CheckpointSettings


def settings_of(artifact: Artifact) -> Settings:
    """Raises Problem for an artifact whose configuration lacks some of it."""

    def integer(key: str) -> int:
        return artifact.setting("train", key, int)

    return Settings(
        steps=integer("steps"),
        seed=integer("seed"),
        evaluation=_eval_settings(artifact, integer("steps")),
        log_every=artifact.setting("log", "every", int),
        checkpoint=_checkpoint_settings(artifact, integer("steps")),
    )


def _eval_settings(artifact: Artifact, steps: int) -> EvalSettings:
    given: dict[str, Any] = artifact.config.get("eval") or {}
    every = artifact.setting("eval", "every", int) or steps
    return EvalSettings(every, given.get("batches"), given.get("patience"), given.get("minDelta") or 0.0)


def _checkpoint_settings(artifact: Artifact, steps: int) -> CheckpointSettings:
    def integer(key: str) -> int:
        return artifact.setting("checkpoint", key, int)

    given: dict[str, Any] = artifact.config.get("checkpoint") or {}
    given_eval: dict[str, Any] = artifact.config.get("eval") or {}
    remote, weights = given.get("remote"), given.get("weights")
    return CheckpointSettings(
        every=integer("every") or steps,
        keep=integer("keep"),
        keep_every=given.get("keepEvery") or 0,
        # A run that ends early has gone past its best step.
        best=integer("best") or int(bool(given_eval.get("patience"))),
        remote=None if remote is None else RemoteSettings(remote["path"], remote["every"], remote["keep"]),
        base=bool(given.get("base")),
        weights=None
        if weights is None
        else WeightsSettings(weights["every"], weights["keep"], weights["shardSize"], weights.get("dtype")),
    )
