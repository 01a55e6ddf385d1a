"""The train steps of an artifact: one for the model's whole context, and one for each length in data.buckets."""

from __future__ import annotations

from collections.abc import Iterable

from . import data, pjrt
from .artifact import Artifact
from .program import Arrays, Entry, named, placements


class TrainSteps:
    """Compiled train steps by their names; each takes the batches that are made for it."""

    def __init__(self, artifact: Artifact, entries: Iterable[str]) -> None:
        self._steps = {name: Entry(artifact, name) for name in entries}
        self._ports = {name: named(artifact.program(name).inputs, "batch") for name in self._steps}
        self._where = {name: placements(artifact, ports) for name, ports in self._ports.items()}

    @property
    def executables(self) -> list[pjrt.Executable]:
        """What is run."""
        return [step.executable for step in self._steps.values()]

    def place(self, batch: data.Batch) -> dict[str, pjrt.Array]:
        """A batch on the devices: each process makes the part of its own."""
        where = self._where[batch.entry]
        return {
            port.name: pjrt.from_callback(port.shape, where[port.name], batch.ports[port.name])
            for port in self._ports[batch.entry]
        }

    def run(self, entry: str, arrays: Arrays) -> dict[str, pjrt.Array]:
        """Begins one step."""
        return self._steps[entry](arrays)

    def flush(self) -> None:
        """Says what the last steps printed."""
        for step in self._steps.values():
            step.flush()
