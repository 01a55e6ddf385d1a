"""Looks into the model while it trains: histograms of activations and gradients by layer, pictures of what attention attends to.

The artifact's program `probe_step` computes them, where the configuration's `log` asks for some. They go to the tracker, and as they
are into RUN/probes/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import group
from .artifact import Artifact
from .errors import room
from .program import Arrays, Entry
from .tracking import Tracker

STATISTICS = ("mean", "rms", "zeros")
"""What there is beside a histogram: see models/probes.ts."""


class Probe:
    """Runs `probe_step` every so many steps."""

    def __init__(self, artifact: Artifact, run: Path) -> None:
        self._every = artifact.setting("log", "histogramsEvery", int)
        self._program = Entry(artifact, "probe_step")
        self._inputs = artifact.program("probe_step").inputs
        self._folder = run / "probes"

    def due(self, step: int, last: int) -> bool:
        """Whether to look after this step: after every so many, the first and the last."""
        return step % self._every == 0 or step in (1, last)

    def look(self, step: int, arrays: Arrays, tracker: Tracker) -> None:
        """Looks at the parameters on a batch: `arrays` has both by name; a batch of other sizes is left out."""
        batch = [port for port in self._inputs if port.role == "batch"]
        if any(tuple(np.shape(arrays[port.name])) != port.shape for port in batch):
            return
        outputs = self._program({port.name: arrays[port.name] for port in self._inputs})
        seen = {name: np.asarray(value) for name, value in outputs.items()}
        if not group.is_first():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"step_{step:08d}.npz"
        temporary = path.with_suffix(".tmp.npz")
        with room("What was seen of the model", self._folder):
            np.savez_compressed(temporary, **seen)
            temporary.replace(path)
        track(step, seen, tracker)


def probe_of(artifact: Artifact, run: Path) -> Probe | None:
    """What looks into a run's model; None where the configuration does not ask for it."""
    return Probe(artifact, run) if "probe_step" in artifact.programs else None


def track(step: int, seen: dict[str, np.ndarray], tracker: Tracker) -> None:
    """Tells the tracker what `probe_step` gave, by name: `activations/blocks/mlp/rms`; each layer of a stack is one more name."""
    numbers = {}
    for name, value in seen.items():
        if name.startswith("attention/"):
            for part, picture in _each(name, value, 3):
                tracker.image(step, part, tiled(picture))
        elif name.endswith("/histogram"):
            for part, counts in _each(name.removesuffix("/histogram"), value, 1):
                tracker.histogram(step, part, seen["edges"], counts)
        elif name.rpartition("/")[2] in STATISTICS:
            numbers[name] = value.astype(float).tolist()
    if numbers:
        tracker.scalars(step, numbers)


def tiled(probabilities: np.ndarray) -> np.ndarray:
    """Heads [head, query, token] side by side as one picture [height, width], queries downwards; a query's likeliest token is white."""
    most = probabilities.max(axis=-1, keepdims=True)
    bright = np.divide(probabilities, most, out=np.zeros_like(probabilities), where=most > 0)
    columns = int(np.ceil(np.sqrt(len(bright))))
    rows = -(-len(bright) // columns)
    blank = np.zeros((rows * columns - len(bright), *bright.shape[1:]), bright.dtype)
    framed = np.pad(np.concatenate([bright, blank]), ((0, 0), (0, 1), (0, 1)), constant_values=0.5)
    _, height, width = framed.shape
    return framed.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)[:-1, :-1]


def _each(name: str, value: np.ndarray, rank: int) -> Iterator[tuple[str, np.ndarray]]:
    """The parts of that many dimensions, by name and place: `activations/blocks/mlp/0`."""
    if value.ndim == rank:
        yield name, value
        return
    for place, part in enumerate(value):
        yield from _each(f"{name}/{place}", part, rank)
