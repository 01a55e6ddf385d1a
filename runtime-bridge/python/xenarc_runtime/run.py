"""Runs any entry point of an artifact on the tensors of a safetensors file, by argument name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import save_file

from . import events, pjrt
from .artifact import Artifact, Port
from .dtypes import from_numpy, from_safetensors, to_numpy
from .errors import Problem, sentence
from .program import NOTES, Arrays, Entry, load, named


def run(folder: Path, entry: str, source: Path, target: Path, run_folder: Path | None) -> None:
    """Reads arguments from `source`, writes results to `target`, emits a `result` event.

    With `run_folder`, parameters and other state that the file lacks come from that run's newest checkpoint; or parameters from
    the safetensors files there.
    """
    artifact = load(folder)
    program = artifact.program(entry)
    given = read_tensors(source)
    arrays: dict[str, pjrt.Array | np.ndarray] = {}
    if run_folder is not None:
        lacking = [p for p in named(program.inputs, "state") if p.name not in given]
        arrays.update(_from_checkpoint(artifact, run_folder, lacking))
    _check(program.inputs, given, set(arrays), source)
    arrays.update(given)
    call = Entry(artifact, entry)
    outputs = call(arrays)
    call.flush()
    results = {port.name: np.asarray(outputs[port.name]) for port in program.outputs if port.role not in NOTES}
    write_tensors(target, results)
    tensors = [{"name": n, "dtype": from_numpy(t.dtype), "shape": list(t.shape)} for n, t in results.items()]
    events.emit("result", path=str(target), tensors=tensors)


def _from_checkpoint(artifact: Artifact, folder: Path, ports: list[Port]) -> Arrays:
    from . import checkpoint, pretrained  # Orbax takes a while to load, and only this needs it

    if not ports:
        return {}
    run = pretrained.run_at(folder, checkpoint.items_of(ports))
    if run is None:
        return pretrained.initial(artifact, folder, ports)
    return pretrained.restore(artifact, run.saved, ports)


def _check(ports: tuple[Port, ...], given: dict[str, np.ndarray], present: set[str], source: Path) -> None:
    known = {port.name: port for port in ports}
    lacking = [port for name, port in known.items() if name not in given and name not in present]
    # What is given by hand first: a misspelt argument must not hide behind the parameters.
    missing = [str(port) for port in sorted(lacking, key=lambda port: port.role == "state")]
    extra = [name for name in given if name not in known]
    if missing:
        hint = f"It has: {_few(list(given)) or 'nothing'}."
        if any(port.role == "state" for port in lacking):
            hint += " Parameters come from a run's newest checkpoint with --run DIR."
        raise Problem("arguments", f"{source} lacks {_few(missing)}.", hint)
    if extra:
        raise Problem("arguments", f"{source} has {_few(extra)}, which the entry point does not take.")
    for name, tensor in given.items():
        port, have = known[name], pjrt.TensorType(tensor.shape, from_numpy(tensor.dtype))
        if (port.shape, port.dtype) != (have.shape, have.dtype):
            raise Problem("arguments", f"`{name}` in {source} is {have.dtype}{list(have.shape)}; expected {port}.")


def _few(names: list[str], most: int = 5) -> str:
    return ", ".join(f"`{name}`" for name in names[:most]) + (
        f" and {len(names) - most} more" if len(names) > most else ""
    )


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file by name."""
    data = path.read_bytes()
    try:
        entries = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise Problem("safetensors", sentence(f"{path} is not a safetensors file: {error}")) from None
    return {
        name: np.frombuffer(entry["data"], to_numpy(from_safetensors(entry["dtype"]))).reshape(entry["shape"])
        for name, entry in entries
    }


def write_tensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Writes tensors by name; the file appears whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, str(temporary))
    except safetensors.SafetensorError as error:
        raise Problem("safetensors", sentence(f"{path} cannot be written: {error}")) from None
    temporary.replace(path)
