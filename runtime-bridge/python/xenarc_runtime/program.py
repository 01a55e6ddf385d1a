"""A compiled entry point that takes and gives arrays by the names of its ports."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from . import artifact as artifacts
from . import events, pjrt
from .artifact import Artifact, Executable, Port
from .errors import Problem

Arrays = Mapping[str, pjrt.Array | np.ndarray | np.generic]

NOTES = ("print", "assert")
"""Roles of outputs that are looked at: said as they are, or held to be true."""


def load(folder: Path) -> Artifact:
    """Reads and checks an artifact whose programs are to run here: its devices are there afterwards."""
    artifact = artifacts.load(folder)
    pjrt.make_mesh(artifact.mesh)
    return artifact


def compile_program(artifact: Artifact, name: str) -> pjrt.Executable:
    """Compiles an entry point, or loads it from XLA's cache; says so in a `compiled` event."""
    program = artifact.program(name)
    started = time.monotonic()
    mesh = pjrt.make_mesh(artifact.mesh)
    if program.executable is not None and _fits(name, program.executable, mesh):
        executable = pjrt.load_executable(program.executable.data, program.text, program.options, mesh)
    else:
        executable = pjrt.compile_program(program.text, program.options, mesh)
    _check_ports(name, "inputs", program.inputs, executable.inputs)
    _check_ports(name, "outputs", program.outputs, executable.outputs)
    seconds = round(time.monotonic() - started, 3)
    events.emit("compiled", program=name, seconds=seconds, memory=pjrt.memory(executable))
    return executable


def _fits(name: str, made: Executable, mesh: pjrt.Mesh) -> bool:
    """Whether an executable is for the devices and the versions that are here; says so if not."""
    here = {key: version for key, version in pjrt.versions().items() if key in made.versions}
    kind, count = mesh.devices.flat[0].device_kind, mesh.devices.size
    if (kind, count, here) == (made.device, made.devices, made.versions):
        return True
    wanted = f"{made.devices} x {made.device} ({_listed(made.versions)})"
    message = f"`{name}` was compiled ahead of time for {wanted}; here is {count} x {kind} ({_listed(here)}): compiling it."
    events.emit("log", level="info", message=message)
    return False


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


class Entry:
    """A compiled entry point: takes every input by name, gives every output by name. Donated inputs are used up.

    Inputs that are numpy arrays are put where the program wants them.

    What the program prints and asserts is looked at one run later, while the next one is computed, or by `flush`.
    """

    def __init__(self, artifact: Artifact, name: str) -> None:
        program = artifact.program(name)
        self.executable = compile_program(artifact, name)
        self._inputs = placements(artifact, program.inputs)
        self._outputs = placements(artifact, program.outputs)
        self._notes = [port for port in program.outputs if port.role in NOTES]
        self._pending: dict[str, pjrt.Array] | None = None

    def __call__(self, arrays: Arrays) -> dict[str, pjrt.Array]:
        arguments = [_put(arrays[name], where) for name, where in self._inputs.items()]
        results = pjrt.execute(self.executable, arguments, list(self._outputs.values()))
        outputs = dict(zip(self._outputs, results, strict=True))
        if self._notes:
            self.flush()
            self._pending = {port.name: outputs[port.name] for port in self._notes}
        return outputs

    def flush(self) -> None:
        """Says what the last run printed; raises Problem if an assertion of it failed."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        for port in self._notes:
            value = np.asarray(pending[port.name])
            if port.role == "print":
                text = np.array2string(value, precision=6, threshold=100)
                events.emit("log", level="print", message=port.message.replace("{}", text))
            elif not value.all():
                raise Problem("assertion", port.message, "An assertion of the model failed; nothing was saved since.")


def placements(artifact: Artifact, ports: Iterable[Port]) -> dict[str, pjrt.NamedSharding]:
    """Where the arrays of ports lie on the artifact's mesh, by name."""
    mesh = pjrt.make_mesh(artifact.mesh)
    return {port.name: pjrt.placement(mesh, port.sharding, port.memory) for port in ports}


def _put(array: pjrt.Array | np.ndarray | np.generic, where: pjrt.NamedSharding) -> pjrt.Array:
    return pjrt.to_device(array, where) if isinstance(array, (np.ndarray, np.generic)) else array


def _check_ports(name: str, side: str, ports: tuple[Port, ...], types: tuple[pjrt.TensorType, ...]) -> None:
    declared = tuple(pjrt.TensorType(port.shape, port.dtype) for port in ports)
    if declared != types:
        raise Problem(
            "artifact", f"The manifest's {side} of `{name}` are not those of its program.", "Compile the model again."
        )


def named(ports: tuple[Port, ...], role: str) -> list[Port]:
    """The ports of one role."""
    return [port for port in ports if port.role == role]
