"""A compiled entry point that takes and gives arrays by the names of its ports."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from . import events, pjrt
from .artifact import Artifact, Port
from .errors import Problem

Arrays = Mapping[str, pjrt.Array]
Entry = Callable[[Arrays], dict[str, pjrt.Array]]


def compile_program(artifact: Artifact, name: str) -> pjrt.Executable:
    """Compiles an entry point, or loads it from XLA's cache; says so in a `compiled` event."""
    program = artifact.program(name)
    started = time.monotonic()
    executable = pjrt.compile_program(program.text, program.options)
    _check_ports(name, "inputs", program.inputs, executable.inputs)
    _check_ports(name, "outputs", program.outputs, executable.outputs)
    seconds = round(time.monotonic() - started, 3)
    events.emit("compiled", program=name, seconds=seconds, memory=pjrt.memory(executable))
    return executable


def compile_entry(artifact: Artifact, name: str) -> Entry:
    """A compiled entry point that takes every input by name and gives every output by name; donated inputs are used up."""
    executable = compile_program(artifact, name)
    inputs = [port.name for port in artifact.program(name).inputs]
    outputs = [port.name for port in artifact.program(name).outputs]

    def call(arrays: Arrays) -> dict[str, pjrt.Array]:
        return dict(zip(outputs, pjrt.execute(executable, [arrays[name] for name in inputs]), strict=True))

    return call


def _check_ports(name: str, side: str, ports: tuple[Port, ...], types: tuple[pjrt.TensorType, ...]) -> None:
    declared = tuple(pjrt.TensorType(port.shape, port.dtype) for port in ports)
    if declared != types:
        raise Problem(
            "artifact", f"the manifest's {side} of `{name}` are not those of its program", "Compile the model again."
        )


def named(ports: tuple[Port, ...], role: str) -> list[Port]:
    """The ports of one role."""
    return [port for port in ports if port.role == role]
