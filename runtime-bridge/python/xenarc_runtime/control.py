"""The controller of a model's values of the run: its programs decide and learn, here they are only run, and what they set takes effect."""

from __future__ import annotations

from . import pjrt
from .artifact import Artifact, Port
from .program import Arrays, Entry, named

_LEARNS, _ACTS = "control_step", "control_act"


class _Control:
    """One of the controller's programs."""

    def __init__(self, artifact: Artifact, name: str) -> None:
        outputs = artifact.program(name).outputs
        self.metrics: list[Port] = named(outputs, "metric")
        self._entry = Entry(artifact, name)

    def __call__(self, arrays: Arrays) -> dict[str, pjrt.Array]:
        """The values that are set, under their names in the training state, and what else the program gives."""
        return self._entry(arrays)


def learner(artifact: Artifact) -> _Control | None:
    """What learns from each step of training, of the step's outputs and the state; None where nothing is controlled."""
    return _Control(artifact, _LEARNS) if _LEARNS in artifact.programs else None


def actor(artifact: Artifact) -> _Control | None:
    """What acts while text is written; None where nothing is controlled."""
    return _Control(artifact, _ACTS) if _ACTS in artifact.programs else None


def actor_ports(artifact: Artifact) -> list[Port]:
    """What of the training state it acts by."""
    return named(artifact.programs[_ACTS].inputs, "state") if _ACTS in artifact.programs else []
